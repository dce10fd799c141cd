import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { runCommand } from "../../lib/cli/run-command";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { commandLine } from "../support/command-line";
import { killed, sessionRecord } from "../support/session-records";
import { describeWhereProgramIs } from "../support/where-program-is";

const HOME = "\u001b[H";
const ENTER = "\u001b[?1049h";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";

/** The text of a stream so far, and a wait for some of it. */
class Written {
  text = "";
  readonly #stream: NodeJS.ReadableStream;

  constructor(stream: NodeJS.ReadableStream) {
    this.#stream = stream.on("data", (chunk: Buffer) => (this.text += chunk.toString()));
  }

  /** Resolves once this is there `times` times. */
  async has(part: string, times = 1): Promise<void> {
    while (this.text.split(part).length <= times) await once(this.#stream, "data");
  }

  /** Resolves once the newest screen lacks this. */
  async lacks(part: string): Promise<void> {
    while (this.text.split(HOME).at(-1)?.includes(part) === true) await once(this.#stream, "data");
  }
}

describe("coatcheck watch", () => {
  let path: string;
  let store: SqliteStore;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "coatcheck-watch-"));
    store = new SqliteStore({ path });
  });
  afterEach(async () => {
    await store.close();
    rmSync(path, { recursive: true });
  });

  async function added(fields: Parameters<typeof sessionRecord>[0]) {
    const record = sessionRecord(fields);
    await store.create(record);
    return record;
  }

  function watched(args: string[], { isTerminal, rows }: { isTerminal: boolean; rows?: number }) {
    const modes: boolean[] = [];
    const setRawMode = (isRaw: boolean) => modes.push(isRaw);
    const stdin = Object.assign(new PassThrough(), { isTTY: isTerminal, setRawMode });
    const stdout = Object.assign(new PassThrough(), { isTTY: isTerminal, ...(rows === undefined ? {} : { rows }) });
    const stderr = new PassThrough();
    const [written, notes] = [new Written(stdout), new Written(stderr)];
    const code = runCommand(["watch", "--every", "1", "--path", path, ...args], { stdin, stdout, stderr });
    return { code, stdin, stdout, written, notes, modes };
  }

  it.each(["q", "Q", "\u0003"])("shows the list on the terminal's other screen until %j is typed", async (key) => {
    const alice = await added({ owner: "alice" });
    const { code, stdin, written, modes } = watched([], { isTerminal: true });
    await written.has(alice.id);
    expect(written.text.startsWith(ENTER)).toBe(true);
    expect(written.text).toContain(`Live sessions in ${path} at 20`);
    const bob = await added({ owner: "bob" });
    await written.has(bob.id);
    await store.end(alice.id, killed());
    await written.lacks(alice.id);
    stdin.write(key);
    expect(await code).toBe(0);
    expect(written.text.endsWith(LEAVE)).toBe(true);
    expect(modes).toEqual([true, false]);
  });

  it("shows as many as there is room for, in the order that is asked for, and says that there are more", async () => {
    for (let age = 0; age < 9; age += 1) await added({ owner: `user-${age}`, createdAt: Date.now() - age * 60_000 });
    const { code, stdin, written } = watched(["--newest"], { isTerminal: true, rows: 8 });
    await written.has("There are more than fit here.");
    stdin.write("q");
    expect(await code).toBe(0);
    const [, screen = ""] = written.text.split(HOME);
    const lines = screen.split("\n");
    expect(lines).toHaveLength(8);
    expect(lines.slice(3, 7).map((line) => / user-(\d) /.exec(line)?.[1])).toEqual(["0", "1", "2", "3"]);
  });

  it("says that there are none, and goes on", async () => {
    const { code, stdin, written } = watched(["--user", "alice"], { isTerminal: true });
    await written.has("There are no such sessions.");
    await added({ owner: "alice" });
    await written.has(" alice ");
    stdin.write("q");
    expect(await code).toBe(0);
  });

  it("leaves the terminal as it was where what it writes to is gone", async () => {
    const { code, stdout, written, modes } = watched([], { isTerminal: true });
    await written.has("There are no such sessions.");
    stdout.destroy();
    expect(await code).toBe(0);
    expect(modes).toEqual([true, false]);
  });

  it("prints a line for each change where it is no terminal, and ends where nobody reads", async () => {
    const alice = await added({ owner: "alice", project: "shop", remoteAddress: "203.0.113.7" });
    const { code, stdout, written, modes } = watched([], { isTerminal: false });
    await written.has(alice.id);
    expect(written.text).toMatch(
      new RegExp(`^20\\S+ \\S+Z {2}live {2}${alice.id} {2}alice {2}shop {2}browser {2}203.0.113.7\n$`),
    );
    const bob = await added({ owner: "bob\u001b[2J" });
    await written.has(bob.id);
    await store.end(alice.id, killed());
    await written.has(`over  ${alice.id}  alice\n`);
    expect(written.text).not.toContain("\u001b");
    expect(written.text.split("\n")).toHaveLength(4);
    expect(modes).toEqual([]);
    stdout.destroy();
    await added({ owner: "carol" });
    expect(await code).toBe(0);
  });

  it("prints lines of JSON with --json, on a terminal too", async () => {
    const alice = await added({ owner: "alice" });
    const { code, stdin, written } = watched(["--json"], { isTerminal: true });
    await written.has(alice.id);
    await store.end(alice.id, killed());
    await written.has(alice.id, 2);
    stdin.write("q");
    expect(await code).toBe(0);
    const [live, over] = written.text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as object);
    expect(live).toMatchObject({ event: "live", id: alice.id, username: "alice", endedAt: null });
    expect(live).not.toHaveProperty("authorized");
    expect(over).toEqual({ event: "over", id: alice.id, username: "alice", at: expect.any(String) });
  });
});

describe("coatcheck watch, in a process of its own", () => {
  const cli = commandLine();

  async function seeded() {
    const store = new SqliteStore({ path: join(cli.folder(), ".sessions") });
    const record = sessionRecord({ owner: "alice" });
    await store.create(record);
    await store.close();
    return record;
  }

  it("ends with 0 on SIGINT", async () => {
    const { id } = await seeded();
    const child = spawn(process.execPath, [cli.script(), "watch"], { cwd: cli.folder(), env: cli.env() });
    const closed = once(child, "close");
    await new Written(child.stdout).has(id);
    child.kill("SIGINT");
    expect(await closed).toEqual([0, null]);
  });

  describeWhereProgramIs("script", "on a real terminal", (script) => {
    it("ends with q, and leaves it as it was", async () => {
      const { id } = await seeded();
      const command = `${process.execPath} ${cli.script()} watch; echo "code $?"; stty -a`;
      const child = spawn(script, ["-qec", command, "/dev/null"], { cwd: cli.folder(), env: cli.env() });
      const closed = once(child, "close");
      const written = new Written(child.stdout);
      await written.has(id);
      child.stdin.write("q");
      await closed;
      expect(written.text).toContain(ENTER);
      expect(written.text).toMatch(/code 0/);
      expect(written.text.slice(written.text.lastIndexOf(LEAVE))).toMatch(/ icanon .* echo /s);
    });
  });
});
