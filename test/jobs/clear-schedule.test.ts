import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Sessions } from "../../lib";
import type { SessionOptions } from "../../lib";
import { MemoryStore } from "../../lib/stores/memory-store";
import { compileScripts } from "../support/compiled-scripts";
import { FaultyStore } from "../support/faulty-store";
import { sessionRecord } from "../support/session-records";

const run = promisify(execFile);
const EVERY_SECOND = "* * * * * *";
/** Longer than it takes until the next run, in milliseconds. */
const NEXT_RUN_MS = 1500;

let store: FaultyStore;
let open: Sessions[];

beforeEach(() => {
  store = new FaultyStore(new MemoryStore());
  open = [];
});

afterEach(async () => {
  store.recover();
  await Promise.all(open.map((sessions) => sessions.close()));
});

function openSessions(options: SessionOptions = {}): { readonly sessions: Sessions; readonly errors: unknown[] } {
  const sessions = new Sessions({ store, clearSchedule: false, ...options });
  const errors: unknown[] = [];
  sessions.on("error", (error) => errors.push(error));
  open.push(sessions);
  return { sessions, errors };
}

/** Waits until the store was asked to clear this often. */
async function cleared(times: number): Promise<void> {
  while (store.calls.clear < times) await sleep(10);
}

describe("the clearing job", () => {
  it("runs again and again, and deletes what is past its time", async () => {
    const { sessions, errors } = openSessions();
    const due = sessionRecord({ purgeAt: Date.now() - 3_600_000 });
    await store.create(due);
    await store.create(sessionRecord());
    sessions.startClearSessions(EVERY_SECOND);
    await cleared(2);
    await expect(sessions.getSessionInfo()).resolves.toHaveLength(1);
    await expect(sessions.getSession(due.id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    expect(errors).toEqual([]);
  });

  it("starts with the middleware, once, and not where clearSchedule is false", async () => {
    const { sessions } = openSessions({ clearSchedule: EVERY_SECOND });
    const { sessions: other } = openSessions();
    other.middleware();
    expect(sessions.middleware()).toBe(sessions.middleware());
    await cleared(1);
    await sessions.close();
    const { clear } = store.calls;
    await sleep(NEXT_RUN_MS);
    expect(store.calls.clear).toBe(clear);
  });

  it("does not start a run while the one before is still at it", async () => {
    const { sessions, errors } = openSessions();
    store.fail("clear", "is late");
    sessions.startClearSessions(EVERY_SECOND);
    await cleared(1);
    await sleep(2 * NEXT_RUN_MS);
    expect(store.calls.clear).toBe(1);
    store.recover();
    await cleared(3);
    expect(errors).toEqual([]);
  });

  it("emits an error, and goes on", async () => {
    const { sessions, errors } = openSessions();
    store.fail("clear", "rejects");
    sessions.startClearSessions(EVERY_SECOND);
    await cleared(2);
    store.recover();
    await cleared(4);
    expect(errors).toMatchObject([{ code: "SESSION_STORE" }, { code: "SESSION_STORE" }]);
  });

  it("is replaced by one with another schedule", async () => {
    const { sessions } = openSessions();
    sessions.startClearSessions(EVERY_SECOND);
    sessions.startClearSessions("0 0 0 1 1 *");
    await sleep(2 * NEXT_RUN_MS);
    expect(store.calls.clear).toBe(0);
  });

  it("refuses what is no schedule, and leaves the job that runs", async () => {
    const { sessions } = openSessions();
    sessions.startClearSessions(EVERY_SECOND);
    expect(() => sessions.startClearSessions("every second")).toThrow(
      expect.objectContaining({ code: "SESSION_CONFIG" }),
    );
    await cleared(1);
  });

  it("ends with close, also where a run was about to start", async () => {
    const all = Array.from({ length: 20 }, () => openSessions({ store: new MemoryStore() }));
    for (const { sessions } of all) sessions.startClearSessions(EVERY_SECOND);
    for (const { sessions } of all) {
      await sleep(NEXT_RUN_MS / all.length);
      await sessions.close();
    }
    await sleep(NEXT_RUN_MS);
    expect(all.flatMap(({ errors }) => errors)).toEqual([]);
  });
});

describe("a process with a clearing job", () => {
  let scripts: ReturnType<typeof compileScripts>;
  let folder: string;

  beforeAll(async () => {
    scripts = compileScripts(["lib", "test/support/start-and-return.ts"]);
    folder = await mkdtemp(join(tmpdir(), "coatcheck-test-"));
  });

  afterAll(async () => {
    scripts.dispose();
    await rm(folder, { recursive: true });
  });

  it.each(["middleware", "startClearSessions"])("ends by itself after %s", async (what) => {
    const script = scripts.path("test/support/start-and-return.ts");
    const child = spawn(process.execPath, [script, what], { cwd: folder, env: scripts.env, stdio: "pipe" });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
    const stuck = setTimeout(() => child.kill(), 20_000);
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(stuck);
    expect({ code, output }).toEqual({ code: 0, output: "" });
  });
});

describe("the night on which the clocks change", () => {
  let scripts: ReturnType<typeof compileScripts>;
  beforeAll(() => (scripts = compileScripts(["lib", "test/support/clear-schedule-night.ts"])));
  afterAll(() => scripts.dispose());

  const live = async (zone: string, from: string, schedule: string) => {
    const script = scripts.path("test/support/clear-schedule-night.ts");
    const { stdout } = await run(process.execPath, [script, from, "4", schedule], {
      env: { ...scripts.env, TZ: zone, NODE_NO_WARNINGS: "1" },
      timeout: 20_000,
    });
    const { runs, errors } = JSON.parse(stdout) as { runs: string[]; errors: unknown[] };
    expect(errors).toEqual([]);
    return runs;
  };

  it.each([
    ["America/New_York", "the repeated hour", "2026-11-01T06:14:00Z"],
    ["America/New_York", "the hour before it", "2026-11-01T05:14:00Z"],
    ["America/New_York", "the hour that is left out", "2026-03-08T06:14:00Z"],
    ["Europe/London", "the repeated hour", "2026-10-25T01:14:00Z"],
    ["Europe/Vienna", "the repeated hour", "2026-10-25T01:14:00Z"],
    ["Europe/Vienna", "the hour that is left out", "2026-03-29T00:14:00Z"],
    ["Australia/Lord_Howe", "the repeated half hour", "2026-04-04T15:14:00Z"],
  ])("in %s clears every quarter of an hour, started in %s", async (zone, _hour, from) => {
    const runs = await live(zone, from, "*/15 * * * *");
    const start = Date.parse(from) + 60_000;
    const quarters = Array.from({ length: 16 }, (_, n) => new Date(start + n * 900_000).toISOString());
    expect(runs.map((at) => new Date(Math.floor(Date.parse(at) / 900_000) * 900_000).toISOString())).toEqual(quarters);
  });

  it("clears once for an hour that the clocks show twice: the schedule is in UTC", async () => {
    const runs = await live("America/New_York", "2026-11-01T04:30:00Z", "30 5 * * *");
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatch(/^2026-11-01T05:3/);
  });
});
