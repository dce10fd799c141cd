import { fork } from "node:child_process";
import { on, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Sessions } from "../../lib";
import type { SessionOptions } from "../../lib";
import type { SessionStore } from "../../lib/stores/store";
import { compileScripts } from "../support/compiled-scripts";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../support/datastore-emulator";
import { openSharedStore } from "../support/shared-store";
import type { SharedPlace } from "../support/shared-store";

const scripts = compileScripts(["lib", "test/support/clientless-process.ts", "test/support/shared-store.ts"]);
const folder = mkdtempSync(join(tmpdir(), "coatcheck-clientless-"));

afterAll(() => {
  scripts.dispose();
  rmSync(folder, { recursive: true });
});

describe("clientless sessions of several processes, on SqliteStore", () => suite(() => ({ path: folder })));
describeOnEmulator("clientless sessions of several processes, on DatastoreStore", () => {
  suite(() => ({ emulatorHost: emulatorHost(), namespace: freshNamespace() }));
});

function suite(place: () => SharedPlace): void {
  let where: SharedPlace;
  let now: () => number;
  let store: SessionStore;
  let sessions: Sessions;

  beforeAll(() => (where = place()));
  beforeEach(() => {
    now = Date.now;
    store = openSharedStore(where);
    sessions = new Sessions({ store, clearSchedule: false, now: () => now() });
  });
  afterEach(() => sessions.close());

  /** Starts a process, and returns a function that resolves to its next message. */
  function start(role: "script" | "worker", options: SessionOptions = {}) {
    const args = [where, role, options].map((argument) => JSON.stringify(argument));
    const child = fork(scripts.path("test/support/clientless-process.ts"), args, { env: scripts.env, execArgv: [] });
    const messages = on(child, "message");
    const exited = once(child, "exit");
    return { child, exited, told: async () => (await messages.next()).value[0] as Record<string, string> };
  }

  it("one that a script opened stays when the script is gone, and another process closes it", async () => {
    const script = start("script");
    const { id } = await script.told();
    await script.exited;
    expect(await sessions.getSession(id!)).toMatchObject({ username: "alice", endedAt: null, expiresAt: null });
    await sessions.closeClientlessSession(id!);
    expect(await sessions.getSession(id!)).toMatchObject({ endReason: "closed", endedBy: "alice" });
  });

  it("P2: a kill from a second process aborts the tasks, and the close reports it", async () => {
    const worker = start("worker", { killCheckInterval: "20ms" });
    const { id } = await worker.told();
    expect(await sessions.killSessionByUser("alice")).toBe(1);
    expect(await worker.told()).toEqual({ aborted: "SESSION_ENDED" });
    expect(await worker.told()).toEqual({ closed: "SESSION_ENDED" });
    await worker.exited;
    expect(await sessions.getSession(id!)).toMatchObject({ endReason: "killed" });
  });

  it("P8: one whose process was killed is abandoned when its lease is over, and not before", async () => {
    const worker = start("worker", { leaseTimeout: 60_000, killCheckInterval: "20ms" });
    const { id } = await worker.told();
    worker.child.kill("SIGKILL");
    await worker.exited;
    const record = (await store.load(id!))!;
    expect(record).toMatchObject({ idleMs: 60_000, endsAt: Infinity, expiresAt: record.lastSeenAt + 60_000 });
    now = () => record.expiresAt - 1;
    expect(await sessions.getSession(id!)).toMatchObject({ endedAt: null, endReason: null });
    now = () => record.expiresAt;
    expect(await sessions.getSession(id!)).toMatchObject({ endReason: "abandoned", endedBy: null });
    expect(await sessions.getSessionInfo({ username: "alice" })).toEqual([]);
  });

  it("the lease is renewed for as long as the process lives", async () => {
    const worker = start("worker", { leaseTimeout: "6s" });
    const { id } = await worker.told();
    const first = (await store.load(id!))!;
    while ((await store.load(id!))!.expiresAt === first.expiresAt) await sleep(50);
    worker.child.kill("SIGKILL");
    await worker.exited;
  });
}
