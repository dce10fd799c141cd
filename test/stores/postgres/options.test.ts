import { Pool } from "pg";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";

/** What is said of options; what is wrong on purpose has no type. */
function refusal(options: unknown): string {
  try {
    new PostgresStore(options as never);
  } catch (error) {
    expect(error).toMatchObject({ name: "SessionError", code: "SESSION_CONFIG" });
    return (error as Error).message;
  }
  throw new Error("These options were taken.");
}

const url = "postgres://alice:s3cret@127.0.0.1:1/sessions";

describe("Options of PostgresStore", () => {
  it.each([
    [undefined, "takes either a pool or a url"],
    [{}, "takes either a pool or a url"],
    [{ url, pool: new Pool() }, "takes either a pool or a url"],
    [{ pool: {} }, "give a Pool of the package pg"],
    [{ pool: new Pool(), poolOptions: { max: 1 } }, "goes with url"],
    [{ conString: url }, 'write url: "postgres://'],
    [{ connectionString: url }, 'write url: "postgres://'],
    [{ url, tableName: "session" }, 'write table: "coatcheck_session"'],
    [{ url, createTableIfMissing: true }, "leave it out"],
    [{ url, ttl: 60 }, "idleTimeout"],
    [{ url, shema: "x" }, "did you mean schema?"],
    [{ url, schema: "" }, "write the name of a schema"],
    [{ url, schema: "x".repeat(64) }, "write the name of a schema"],
    [{ url, table: "a\0b" }, "write a name for the table"],
    [{ url, table: "ä".repeat(21) }, "write a name for the table"],
    [{ url, timeoutMs: 0 }, "write a number of milliseconds"],
  ])("says what to write instead of %o", (options, instead) => {
    expect(refusal(options)).toContain(instead);
  });

  it.each(["postgress://alice:s3cret@db/x", "alice:s3cret@db", "postgres//alice:s3cret@db/x", "postgres://[s3cret"])(
    "never repeats an address: %s",
    (wrong) => {
      const message = refusal({ url: wrong });
      expect(message).toContain("is not the address of a server");
      expect(message).not.toContain("s3cret");
    },
  );
});
