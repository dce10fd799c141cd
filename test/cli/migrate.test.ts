import { commandLine } from "../support/command-line";
import { describeOnPostgres, freshSchema, inPostgres, postgresUrl, quoted } from "../support/postgres-server";

describe("coatcheck migrate", () => {
  const cli = commandLine();

  it("prints the SQL without a server, for the schema and the table of the address", async () => {
    const plain = await cli.run(["migrate", "--print"]);
    expect(plain).toMatchObject({ code: 0, stderr: "" });
    expect(plain.stdout).toMatch(/^BEGIN;\n[^]*CREATE TABLE IF NOT EXISTS "public"."coatcheck_session" [^]*COMMIT;\n$/);
    expect(plain.stdout).not.toContain("CREATE SCHEMA");
    const own = await cli.run(["migrate", "--print", "--store", "postgres://127.0.0.1:1/x?schema=a%22b&table=coats"]);
    expect(own.stdout).toContain('CREATE SCHEMA IF NOT EXISTS "a""b";');
    expect(own.stdout).toContain('CREATE TABLE IF NOT EXISTS "a""b"."coats_ended"');
  });

  it("says where it is of use, and repeats no password", async () => {
    expect(await cli.run(["migrate"])).toMatchObject({ code: 2, stderr: expect.stringContaining("is for PostgreSQL") });
    const { code, stderr } = await cli.run(["migrate", "--store", "postgres://alice:s3cret@127.0.0.1:1/x"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("ECONNREFUSED")]);
    expect(stderr).not.toContain("s3cret");
  });

  it("and --path can't be given together with --store", async () => {
    const { code, stderr } = await cli.run(["list", "--path", ".", "--store", "datastore:"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("not both")]);
  });
});

describeOnPostgres("coatcheck migrate, on PostgreSQL", () => {
  const cli = commandLine();

  it("makes the tables, again and again, and what it prints makes the same ones", async () => {
    const columns = async (schema: string) => {
      const text = `SELECT table_name, column_name, data_type FROM information_schema.columns
        WHERE table_schema = $1 ORDER BY 1, 2`;
      return (await inPostgres(text, [schema])).rows;
    };
    const [made, printed] = [freshSchema(), freshSchema()];
    for (let run = 0; run < 2; run += 1) {
      const result = await cli.run(["migrate", "--store", `${postgresUrl()}?schema=${made}`]);
      expect(result).toMatchObject({ code: 0, stdout: "The tables are there.\n", stderr: "" });
    }
    const sql = (await cli.run(["migrate", "--print", "--store", `${postgresUrl()}?schema=${printed}`])).stdout;
    await inPostgres(sql);
    await inPostgres(sql);
    expect(await columns(printed)).toEqual(await columns(made));
    expect(await columns(made)).not.toEqual([]);
  });

  it("leaves tables of a newer version alone, and says what to do", async () => {
    const schema = freshSchema();
    const store = `${postgresUrl()}?schema=${schema}`;
    await cli.run(["migrate", "--store", store]);
    await inPostgres(`UPDATE ${quoted(schema)}.coatcheck_session_meta SET version = 2`);
    for (const command of ["migrate", "stats"]) {
      const { code, stderr } = await cli.run([command, "--store", store]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("upgrade coatcheck")]);
    }
  });
});
