import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { COMMANDS } from "../../lib/cli/commands/command-list";
import { runCommand } from "../../lib/cli/run-command";
import { resolveOptions } from "../../lib/options/session-options";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { commandLine } from "../support/command-line";
import { sessionRecord } from "../support/session-records";

const ROOT = join(__dirname, "../..");
const ON_SESSIONS = ["list", "watch", "show", "kill", "clear", "stats"];

describe("coatcheck, the command", () => {
  const cli = commandLine();

  async function seed(count: number, path = ".sessions", fields: Parameters<typeof sessionRecord>[0] = {}) {
    const store = new SqliteStore({ path: join(cli.folder(), path) });
    const records = Array.from({ length: count }, () => sessionRecord({ owner: "alice", ...fields }));
    await Promise.all(records.map((record) => store.create(record)));
    await store.close();
    return records.map(({ id }) => id).sort();
  }

  it.each([["--help"], ["-h"], ["help"]])("lists the commands with %s", async (arg) => {
    const { code, stdout, stderr } = await cli.run([arg]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of COMMANDS.keys()) expect(stdout).toMatch(new RegExp(`^ {2}${name} +\\w`, "m"));
  });

  it.each([...COMMANDS.keys()].flatMap((name) => ["--help", "-h"].map((flag) => [name, flag])))(
    "prints how it is used, and does nothing else: %s %s",
    async (name, flag) => {
      const { code, stdout, stderr } = await cli.run([name, flag]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`^usage: coatcheck ${name} `));
      expect(readdirSync(cli.folder())).toEqual([]);
    },
  );

  it.each([
    ["nothing", [], "Which command?"],
    ["a command that there is not", ["frobnicate"], '"frobnicate"'],
    ["a command that is misspelt", ["lsit"], "did you mean list?"],
    ["an option before the command", ["--json", "list"], "The command comes first"],
    ["a name that every object has", ["constructor"], '"constructor"'],
    ["an option that there is not", ["list", "--frob"], "no option --frob; coatcheck list --help lists its options."],
    ["an option that every object has", ["list", "--constructor"], "no option --constructor"],
    ["an option that is misspelt", ["list", "--usr", "alice"], "no option --usr; did you mean --user?"],
    ["an option of another command", ["stats", "--message", "x"], "coatcheck stats has no option --message"],
    ["a letter that there is not", ["list", "-x"], "no option -x;"],
    ["an option without its value", ["list", "--user"], "--user needs a value: --user USER."],
    ["an option in the place of a value", ["list", "--user", "--json"], '"--json" looks like an option'],
    ["a value for an option that takes none", ["list", "--json=yes"], "--json takes no value; write --json alone."],
    ["an option with two values", ["list", "--user", "alice", "--user", "bob"], "--user is given twice"],
    ["an order that there is not", ["list", "--sort", "usr"], 'or pages, not "usr"; did you mean user?'],
    ["two orders", ["list", "--sort", "user", "--newest"], "--sort or --newest, not both"],
    ["live sessions by their end", ["list", "--sort", "ended"], "add --ended"],
    ["a shell that there is not", ["completion", "tcsh"], "one shell: bash, zsh or fish"],
    ["everyone's sessions unasked", ["kill", "--all"], "kill --all --yes"],
    ["yes to nothing", ["kill", "--user", "alice", "--yes"], "--yes goes with --all"],
    ["a kill by nobody", ["kill", "--user", "alice", "--by", ""], "--by takes a name"],
    ["a limit of nothing", ["list", "--limit", "0"], '"0"'],
    ["a limit that is no number", ["list", "--limit", "1e3"], '"1e3"'],
    ["an empty path", ["list", "--path", ""], "--path"],
    ["an operand for list", ["list", "alice"], '"alice"'],
    ["no id for show", ["show"], "id of one session"],
    ["an argument for secret", ["secret", "service"], '"service"'],
  ])("exits with 2, and says why, for %s", async (_, args, why) => {
    const { code, stdout, stderr } = await cli.run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^coatcheck: /);
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(readdirSync(cli.folder())).toEqual([]);
  });

  it.each([["--version"], ["-V"], ["version"]])("prints the version with %s", async (arg) => {
    const stdout = new PassThrough();
    const told = text(stdout);
    expect(await runCommand([arg], { stdin: new PassThrough(), stdout, stderr: new PassThrough() })).toBe(0);
    stdout.end();
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await told).toBe(`coatcheck ${version}\n`);
  });

  it("uses words of its own for what Node's parser refuses", async () => {
    for (const args of [
      ["list", "--frob"],
      ["list", "--user"],
      ["list", "--json=1"],
      ["list", "-qj"],
    ]) {
      const { stderr } = await cli.run(args);
      expect(stderr).toMatch(/^coatcheck: .+\n$/);
      expect(stderr).not.toMatch(/argument|positional|ambiguous|Unknown/);
    }
  });

  it("takes a value that begins with a dash after =", async () => {
    await seed(1, ".sessions", { owner: "-alice" });
    expect(idsIn((await cli.run(["list", "--json", "--user=-alice"])).stdout)).toHaveLength(1);
  });

  it.each([
    ["an option", ["list", "--\u001b[31mx"]],
    ["a command", ["li\u009bst"]],
    ["an id", ["show", "\u202enope"]],
    ["a limit", ["list", "--limit", "\u009b1"]],
  ])("prints nothing but text to a terminal where %s is wrong", async (_, args) => {
    const { code, stderr } = await cli.run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/\\u/);
    expect(stderr.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it.each(ON_SESSIONS)("starts no store where there is none, and says where it looked: %s", async (name) => {
    const operands = { show: ["i".repeat(43)], kill: ["--all", "--yes"] }[name] ?? [];
    const { code, stdout, stderr } = await cli.run([name, ...operands]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^coatcheck: There are no sessions in .*\.sessions\..*\(SESSION_STORE\)\n$/);
    expect(existsSync(join(cli.folder(), ".sessions"))).toBe(false);
  });

  it("looks into the folder that --path names, whatever the environment says", async () => {
    const ids = await seed(2, "elsewhere");
    const variables = { DATASTORE_EMULATOR_HOST: "127.0.0.1:1" };
    const { code, stdout } = await cli.run(["list", "--json", "--path", "elsewhere"], variables);
    expect(code).toBe(0);
    expect(idsIn(stdout)).toEqual(ids);
  });

  it("fails with a message, and ends, where Datastore does not answer", async () => {
    const { code, stdout, stderr } = await cli.run(["stats"], { DATASTORE_EMULATOR_HOST: "127.0.0.1:1" });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^coatcheck: .+\(SESSION_STORE(_TIMEOUT)?\)$/m);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it("lists any number of sessions, each once", async () => {
    const ids = await seed(3_000);
    expect(idsIn((await cli.run(["list", "--json"])).stdout)).toEqual(ids);
    const [, ...lines] = (await cli.run(["list"])).stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.slice(0, 43))).toEqual(ids);
  });

  it("succeeds where nobody reads on", async () => {
    await seed(3_000);
    const pipeline = `"$NODE" "$SCRIPT" list | head -n 3; echo "codes \${PIPESTATUS[0]}"`;
    const env = cli.env({ NODE: process.execPath, SCRIPT: cli.script() });
    const { stdout, stderr } = await cli.spawned("bash", ["-c", pipeline], env);
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toHaveLength(5);
    expect(stdout).toMatch(/codes 0\n$/);
  });

  it("lets no client control the operator's terminal", async () => {
    const owner = "mallory\u009b2J";
    const [id] = await seed(1, ".sessions", { owner, userAgent: "\u001b[2Jevil\r\n\u202etxet \u{e0001}" });
    for (const args of [["list"], ["show", id ?? ""], ["list", "--json"]]) {
      const { code, stdout } = await cli.run(args);
      expect(code).toBe(0);
      expect(stdout).toContain("evil");
      expect(stdout.replaceAll("\n", "")).toMatch(/^[^\p{Cc}\p{Cf}]*$/u);
    }
    expect(JSON.parse((await cli.run(["list", "--json"])).stdout)).toMatchObject({ username: owner });
  });

  it("prints a secret that the options accept, in one line, and another each time", async () => {
    const secrets = await Promise.all([cli.run(["secret"]), cli.run(["secret"])]);
    for (const { code, stdout, stderr } of secrets) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
      expect(resolveOptions({ secrets: [stdout.trim()] }).secrets).toEqual([stdout.trim()]);
    }
    expect(secrets[0].stdout).not.toBe(secrets[1].stdout);
  });

  it("is the package's bin, and has a shebang", () => {
    const { bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { bin: Record<string, string> };
    expect(bin).toEqual({ coatcheck: "dist/cli/coatcheck.js" });
    expect(readFileSync(join(ROOT, "lib/cli/coatcheck.ts"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

function idsIn(lines: string): string[] {
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: string }).id);
}
