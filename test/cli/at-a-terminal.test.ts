import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { runCommand } from "../../lib/cli/run-command";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { sessionRecord } from "../support/session-records";

describe("coatcheck at a terminal", () => {
  let path: string;
  let store: SqliteStore;
  const records = Array.from({ length: 3 }, () => sessionRecord({ owner: "alice" }));
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "coatcheck-terminal-"));
    store = new SqliteStore({ path });
    for (const record of records) await store.create(record);
  });
  afterEach(async () => {
    await store.close();
    await rm(path, { recursive: true });
  });

  /** Runs a command as at a terminal where a person types this and nothing more. */
  async function typed(args: string[], input: string) {
    const terminal = () => Object.assign(new PassThrough(), { isTTY: true });
    const [stdin, stdout, stderr] = [terminal(), new PassThrough(), terminal()];
    stdin.end(input);
    const code = await runCommand([...args, "--path", path], { stdin, stdout, stderr });
    return { code, stdout: written(stdout), stderr: written(stderr) };
  }

  /** All that was written to a stream so far; since Node 26, one read returns what one write gave. */
  function written(stream: PassThrough): string {
    let text = "";
    for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
      text += chunk.toString();
    }
    return text;
  }

  const liveCount = () => records.filter(({ id }) => store.load(id) !== undefined).length;

  it.each(["yes\n", "YES\r\n", " 3 \n", "3"])("ends everyone's sessions after %j, asked how many", async (input) => {
    const { code, stdout, stderr } = await typed(["kill", "--all"], input);
    expect(stderr).toContain(`This ends 3 live sessions in ${path}`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "3 sessions ended.\n" });
    expect(liveCount()).toBe(0);
  });

  it("P2: ends none without --all, and asks nothing", async () => {
    const { code, stdout, stderr } = await typed(["kill"], "yes\n");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^coatcheck: Which sessions\? .+\n$/);
    expect(liveCount()).toBe(3);
  });

  it.each(["no\n", "y\n", "4\n", "\n", ""])("P2: ends none after %j", async (input) => {
    const { code, stdout, stderr } = await typed(["kill", "--all"], input);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/Nothing was ended\.\n$/);
    expect(liveCount()).toBe(3);
  });

  it.each([[["--all", "--yes"]], [["--user", "alice"]]])("asks nothing where that is not needed: %j", async (args) => {
    const { code, stdout, stderr } = await typed(["kill", ...args], "");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "3 sessions ended.\n" });
    expect(stderr).not.toContain("Type");
  });

  it("shows its progress on stderr, and erases it at the end", async () => {
    const { stdout, stderr } = await typed(["kill", "--all", "--yes"], "");
    expect(stderr).toMatch(/ending \[-+\] 0% 0\/3/);
    expect(stderr).toMatch(/ending \[=+\] 100% 3\/3/);
    // To the start of the line, and the line erased; the audit's line is below.
    expect(stderr).toMatch(/\u001b\[1G\u001b\[2K\{.+\}\n$/); // eslint-disable-line no-control-regex
    expect(stdout).toBe("3 sessions ended.\n");
    expect((await typed(["clear"], "")).stderr).toContain("deleting: 0");
  });
});
