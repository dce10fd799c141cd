import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionRecord } from "../../../lib/record/session-record";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { compileScripts } from "../../support/compiled-scripts";
import { sessionRecord } from "../../support/session-records";
import { faultsOf } from "../../support/sqlite-checks";

const scripts = compileScripts(["lib", "test/support"]);
let base: string;
let path: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "coatcheck-own-process-"));
  path = join(base, "sessions");
});

afterEach(() => rmSync(base, { recursive: true }));
afterAll(() => scripts.dispose());

/** Runs a script to its end, in a shell that sets limits first; returns what it printed. */
function run(script: string, args: string[], limits = "true"): string {
  return execFileSync(
    "sh",
    ["-c", `${limits}; exec "$0" "$@"`, process.execPath, scripts.path(script), path, ...args],
    { env: scripts.env, encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "inherit"] },
  );
}

// Linux lifts the limit of a process that runs.
const onLinux = process.platform === "linux";
(onLinux ? describe : describe.skip)(`P7: a full disk${onLinux ? "" : ", which only Linux can pretend"}`, () => {
  // In blocks of 512 bytes. That the limit was met is told by a signal, which would end the process.
  const limits = "trap '' XFSZ; ulimit -S -f 6000";

  it.each(["full", "mended"])(
    "rejects the writes with SESSION_STORE; reading goes on, and so do writes once there is room (closed when it is %s)",
    (closes) => {
      expect(JSON.parse(run("test/support/sqlite-full-disk.ts", [closes], limits))).toEqual({
        codes: ["SESSION_STORE"],
        message: expect.stringMatching(/The session file .*sessions\.db can't be written: .*the disk is full/),
        ...{ areThere: true, created: true, updated: true, ended: true, areStillThere: true },
        unhandled: 0,
      });
      expect(faultsOf(path)).toEqual([]);
    },
  );

  it("that has no room for the tables tells that when the store is made", () => {
    const script = `
      const { SqliteStore } = require(${JSON.stringify(scripts.path("lib/stores/sqlite/sqlite-store.ts"))});
      try {
        new SqliteStore({ path: ${JSON.stringify(path)} });
      } catch ({ code, message }) {
        console.log(JSON.stringify({ code, message }));
      }`;
    const told = execFileSync("sh", ["-c", `trap '' XFSZ; ulimit -f 64; exec "$0" -e "$1"`, process.execPath, script], {
      ...{ env: scripts.env, encoding: "utf8", timeout: 60_000 },
    });
    expect(JSON.parse(told)).toEqual({
      code: "SESSION_STORE",
      message: expect.stringMatching(/sessions\.db can't be opened: .*the disk is full/),
    });
  });
});

describe("a store that is left open", () => {
  it("does not keep the process alive", () => {
    expect(run("test/support/sqlite-left-open.ts", ["0"])).toBe("0 updates\n");
  });

  it("nor does the worker that makes its checkpoints, which ends with the process wherever it is", async () => {
    for (const updates of [1000, 1300, 2100, 2500, 3020, 3500, 4040, 5000]) {
      const exits = updates === 5000 ? "by itself" : "exit";
      expect(run("test/support/sqlite-left-open.ts", [String(updates), exits])).toBe(`${updates} updates\n`);
    }
    const store = new SqliteStore({ path });
    const counts: (number | undefined)[] = [];
    for await (const record of store.find({ state: "live" })) counts.push((record as SessionRecord).counters.n);
    expect(counts.sort()).toEqual([1000, 1300, 2100, 2500, 3020, 3500, 4040, 5000]);
    await store.close();
    expect(faultsOf(path)).toEqual([]);
  });
});

describe("P7: a user who may not write", () => {
  /** The error that a store of a folder gives a process of a user who is not root. */
  function openedByAnotherUser(folder: string): { code: string; message: string } {
    // It loads all that it needs before it gives up its rights, because another user may not be allowed to read this
    // checkout.
    const script = `
      const { SqliteStore } = require(${JSON.stringify(scripts.path("lib/stores/sqlite/sqlite-store.ts"))});
      const warmUp = new SqliteStore({ path: ${JSON.stringify(join(base, "warm-up"))} });
      warmUp.close().then(() => {
        if (process.getuid() === 0) {
          process.setgid(65534);
          process.setuid(65534);
        }
        try {
          new SqliteStore({ path: ${JSON.stringify(folder)} });
          console.log(JSON.stringify({ code: "none", message: "it opened" }));
        } catch ({ code, message }) {
          console.log(JSON.stringify({ code, message }));
        }
      });`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { env: scripts.env, encoding: "utf8" });
    expect(stderr).toBe("");
    return JSON.parse(stdout);
  }

  beforeEach(() => chmodSync(base, 0o755));
  afterEach(() => chmodSync(path, 0o755));

  it.each(["", "below"])("to the folder is told so, with what to do: %j", (below) => {
    mkdirSync(path, { mode: 0o555 });
    const { code, message } = openedByAnotherUser(join(path, below));
    expect(code).toBe("SESSION_STORE");
    expect(message).toContain(`The session file ${join(path, below, "sessions.db")} can't be opened: EACCES`);
    expect(message).toContain("Let this user write there, or give SqliteStore another path.");
  });

  it("to the file is told so, and can read none of it", async () => {
    const store = new SqliteStore({ path });
    await store.create(sessionRecord());
    await store.close();
    chmodSync(path, 0o755);
    chmodSync(join(path, "sessions.db"), 0o400);
    const { code, message } = openedByAnotherUser(path);
    expect(code).toBe("SESSION_STORE");
    expect(message).toContain(`The session file ${join(path, "sessions.db")} can't be opened: `);
  });

  it("to the file, but may read it, is told so", async () => {
    const store = new SqliteStore({ path });
    await store.create(sessionRecord());
    await store.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(join(path, `sessions.db${suffix}`), { force: true });
    chmodSync(join(path, "sessions.db"), 0o444);
    chmodSync(path, 0o555);
    const { code, message } = openedByAnotherUser(path);
    expect(code).toBe("SESSION_STORE");
    expect(message).toContain(`The session file ${join(path, "sessions.db")} can't be opened: `);
  });
});
