import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClearMessage, KillMessage, LoadMessage, SaveMessage } from "../lib";
import { CLEAR_GRACE_MS } from "../lib/record/expiry";
import { MemoryStore } from "../lib/stores/memory-store";
import type { RunningApp } from "./support/app";
import { idOf, startLifeApp, visit } from "./support/session-life";

type Message = LoadMessage & SaveMessage & KillMessage & ClearMessage;

const NAMES = ["coatcheck:load", "coatcheck:save", "coatcheck:kill", "coatcheck:clear"];

/** Fails or hangs when told to. */
class WatchedStore extends MemoryStore {
  failing: "" | "load" | "update" | "end" | "clear" = "";

  override load(id: string) {
    if (this.failing === "load") throw new Error("load failed");
    return super.load(id);
  }
  override async update(...args: Parameters<MemoryStore["update"]>) {
    if (this.failing === "update") throw new Error("update failed");
    return super.update(...args);
  }
  override async end(...args: Parameters<MemoryStore["end"]>) {
    if (this.failing === "end") throw new Error("end failed");
    return super.end(...args);
  }
  override async clear(now: number, onProgress?: (cleared: number) => void) {
    if (this.failing !== "clear") return super.clear(now, onProgress);
    onProgress?.(7);
    throw new Error("clear failed");
  }
}

describe("the diagnostics channels", () => {
  let app: RunningApp;
  let store: WatchedStore;
  let now: number;
  let told: [string, Message][];

  const listener = (message: unknown, name: string | symbol) => told.push([String(name), message as Message]);
  /** What a channel was told since this was last asked, without what every message has. */
  const messages = (name: string) =>
    told
      .splice(0)
      .filter(([channel]) => channel === `coatcheck:${name}`)
      .map(([, { durationMs, project, ...message }]) => {
        expect(durationMs).toBeGreaterThanOrEqual(0);
        expect(project).toBe("shop");
        return message;
      });

  beforeEach(async () => {
    now = Date.now();
    store = new WatchedStore({ now: () => now });
    app = await startLifeApp({ store, now: () => now, project: "shop", clearSchedule: false });
    told = [];
    for (const name of NAMES) subscribe(name, listener);
  });
  afterEach(async () => {
    for (const name of NAMES) unsubscribe(name, listener);
    await app.close();
  });

  it("load: tell of each lookup, and what it found", async () => {
    await app.get("/read");
    expect(told).toEqual([]);
    const cookie = await visit(app, "/set");
    const id = idOf(cookie);
    told = [];
    await app.get("/read", { cookie });
    expect(messages("load")).toEqual([{ id, outcome: "found", code: undefined }]);
    now += 3_600_000;
    await app.get("/read", { cookie });
    expect(messages("load")).toEqual([{ id, outcome: "expired", code: undefined }]);
    await app.sessions.kill(id);
    told = [];
    await app.get("/read", { cookie });
    expect(messages("load")[0]).toEqual({ id, outcome: "missing", code: undefined });
    store.failing = "load";
    expect((await app.get("/read", { cookie })).status).toBe(503);
    expect(messages("load")[0]).toEqual({ id, outcome: "failed", code: "SESSION_STORE" });
  });

  it("save: tell of what was created, changed, touched and replaced", async () => {
    const created = await visit(app, "/set");
    const id = idOf(created);
    expect(messages("save")).toEqual([{ id, operation: "create", outcome: "saved", code: undefined }]);
    const session = await visit(app, "/login/alice");
    const [first, second] = [messages("save"), idOf(session)];
    expect(first).toEqual([{ id: second, operation: "create", outcome: "saved", code: undefined }]);
    now += 400_000;
    await app.get("/read", { cookie: session });
    const touched = [{ id: second, operation: "touch", outcome: "saved", code: undefined }];
    expect(messages("save")).toEqual(touched);
    now += 400_000;
    await app.get("/read", { cookie: session, "user-agent": "another browser" });
    expect(messages("save")).toEqual(touched);
    await app.get("/set", { cookie: session });
    expect(messages("save")).toEqual([{ id: second, operation: "update", outcome: "saved", code: undefined }]);
    const next = await app.get("/logout", { cookie: session });
    expect(messages("save")).toEqual([
      { id: idOf(next.cookie), operation: "replace", outcome: "saved", code: undefined },
    ]);
  });

  it("save: tell of what could not be stored, and of what was over", async () => {
    const cookie = await visit(app, "/login/alice");
    const id = idOf(cookie);
    told = [];
    store.failing = "update";
    expect((await app.get("/set", { cookie })).status).toBe(503);
    expect(messages("save")).toEqual([{ id, operation: "update", outcome: "failed", code: "SESSION_STORE" }]);
    store.failing = "";
    store.update = async () => false;
    expect((await app.get("/set", { cookie })).status).toBe(409);
    expect(messages("save")).toEqual([{ id, operation: "update", outcome: "ended", code: undefined }]);
  });

  it("kill: tell of each call once, and how many sessions it ended", async () => {
    const ids = [idOf(await visit(app, "/login/alice")), idOf(await visit(app, "/login/alice"))];
    await visit(app, "/login/bob");
    told = [];
    expect(await app.sessions.kill(ids[0]!)).toBe(true);
    expect(messages("kill")).toEqual([{ target: "id", outcome: "done", ended: 1, code: undefined }]);
    expect(await app.sessions.kill(ids[0]!)).toBe(false);
    expect(messages("kill")).toEqual([{ target: "id", outcome: "done", ended: 0, code: undefined }]);
    expect(await app.sessions.killSessionByUser("alice")).toBe(1);
    expect(messages("kill")).toEqual([{ target: "user", outcome: "done", ended: 1, code: undefined }]);
    store.failing = "end";
    await expect(app.sessions.killAllSessions()).rejects.toMatchObject({ code: "SESSION_STORE" });
    expect(messages("kill")).toEqual([{ target: "all", outcome: "failed", ended: 0, code: "SESSION_STORE" }]);
  });

  it("clear: tell how much was deleted, also until it failed", async () => {
    await visit(app, "/set");
    now += 48 * 3_600_000 + CLEAR_GRACE_MS + 1;
    expect(await app.sessions.clearSessions()).toBe(1);
    expect(messages("clear")).toEqual([{ outcome: "done", cleared: 1, code: undefined }]);
    store.failing = "clear";
    await expect(app.sessions.clearSessions()).rejects.toMatchObject({ code: "SESSION_STORE" });
    expect(messages("clear")).toEqual([{ outcome: "failed", cleared: 7, code: "SESSION_STORE" }]);
  });

  it("P6: hold no token and no value", async () => {
    const cookie = await visit(app, "/set", "/login/alice", "/set");
    await app.sessions.killAllSessions();
    const token = cookie.replace(/^[^=]*=/, "");
    expect(told.length).toBeGreaterThan(3);
    expect(JSON.stringify(told)).not.toContain(token);
    expect(JSON.stringify(told)).not.toContain("black");
  });

  it("without a subscriber no clock is read, and a ready answer still comes without a promise", async () => {
    const cookie = await visit(app, "/set");
    const realNow = performance.now.bind(performance);
    const clock = jest.spyOn(performance, "now");
    let reads = 0;
    // Others read it too: Node, the test runner, HTTP clients.
    clock.mockImplementation(() => {
      if (/diagnostic-channels\.ts|guarded-store\.ts/.test(new Error().stack ?? "")) reads += 1;
      return realNow();
    });
    const isPromise: boolean[] = [];
    const load = store.load.bind(store);
    store.load = (id: string) => {
      const answer = load(id);
      isPromise.push(answer instanceof Promise);
      return answer;
    };
    try {
      await app.get("/read", { cookie });
      expect([isPromise, reads]).toEqual([[false], 2]);
      for (const name of NAMES) unsubscribe(name, listener);
      await app.get("/read", { cookie });
      expect([isPromise, reads]).toEqual([[false, false], 2]);
    } finally {
      clock.mockRestore();
    }
  });
});
