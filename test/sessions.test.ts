import { setTimeout as sleep } from "node:timers/promises";
import { GUEST_USER, Sessions } from "../lib";
import type { SessionEvent } from "../lib";
import { sessionIdOf } from "../lib/record/token";
import { MemoryStore } from "../lib/stores/memory-store";
import type { SessionStore } from "../lib/stores/store";
import type { RunningApp } from "./support/app";
import { describeOnEveryStore } from "./support/every-store";
import { FaultyStore } from "./support/faulty-store";
import { closedGate } from "./support/gate";
import { howMany } from "./support/how-many";
import { idOf, startLifeApp, visit } from "./support/session-life";
import { sessionRecord } from "./support/session-records";

const SESSIONS = howMany(300, 1000);

describeOnEveryStore("ending sessions from outside", (every) => {
  let store: SessionStore;
  let app: RunningApp;

  beforeEach(async () => {
    store = await every.open();
    app = await startLifeApp({ store, project: "shop" });
  });

  afterEach(() => app.close());

  const get = (path: string, cookie: string) => app.get(path, { cookie });

  it("P2: kill ends one session, tells whether it was live, and who did it", async () => {
    const [admin, alice] = [await visit(app, "/login/admin"), await visit(app, "/login/alice")];
    const victim = idOf(alice);
    expect((await get(`/kill/${victim}`, admin)).body).toBe("true");
    expect((await get(`/kill/${victim}`, admin)).body).toBe("false");
    await expect(app.sessions.getSession(victim)).resolves.toMatchObject({
      ...{ username: "alice", project: "shop", endReason: "killed", endedBy: "admin", expiresAt: null },
    });
    await expect(app.sessions.kill(sessionIdOf("never there"))).resolves.toBe(false);
  });

  it("P2: killSessionByUser ends all of a user's sessions, and counts what it ended", async () => {
    await Promise.all(Array.from({ length: 5 }, () => visit(app, "/login/alice")));
    await visit(app, "/login/bob");
    await visit(app, "/set");
    await expect(app.sessions.killSessionByUser("alice")).resolves.toBe(5);
    await expect(app.sessions.killSessionByUser("alice")).resolves.toBe(0);
    await expect(app.sessions.killSessionByUser(GUEST_USER)).resolves.toBe(1);
    await expect(app.sessions.killSessionByUser()).resolves.toBe(1);
  });

  it("P2: killOthers leaves the session that asks, and other users'", async () => {
    const [mine] = await Promise.all(["alice", "alice", "alice", "bob"].map((user) => visit(app, `/login/${user}`)));
    expect((await get("/kill-others", mine ?? "")).body).toBe("2");
    const left = await app.sessions.getSessionInfo();
    expect(left.map(({ username }) => username).sort()).toEqual(["alice", "bob"]);
    expect((await get("/kill-others", mine ?? "")).body).toBe("0");
    const guest = await get("/kill-others", await visit(app, "/set"));
    expect(JSON.parse(guest.body)).toMatchObject({ code: "SESSION_ARGUMENT" });
  });

  it("P2: killAllSessions ends each of many sessions once, also where two call it", async () => {
    for (let n = 0; n < SESSIONS / 50; n += 1) {
      await Promise.all(Array.from({ length: 50 }, () => store.create(sessionRecord({ owner: `user${n}` }))));
    }
    const ended: SessionEvent[] = [];
    app.sessions.on("ended", (event) => ended.push(event));
    const counts = await Promise.all([app.sessions.killAllSessions(), app.sessions.killAllSessions()]);
    expect(counts[0] + counts[1]).toBe(SESSIONS);
    expect(new Set(ended.map(({ id }) => id)).size).toBe(SESSIONS);
    expect(ended).toHaveLength(SESSIONS);
    await expect(app.sessions.getSessionInfo()).resolves.toEqual([]);
  });

  it("tells what is known of sessions, by user and project", async () => {
    const cookie = await visit(app, "/login/alice");
    await visit(app, "/set");
    await store.create(sessionRecord({ owner: "alice", project: "forum" }));
    const { sessions } = app;
    const usersOf = async (filter?: Parameters<Sessions["getSessionInfo"]>[0]) =>
      (await sessions.getSessionInfo(filter)).map(({ username, project }) => `${username} ${project}`).sort();
    await expect(usersOf()).resolves.toEqual(["Unauthenticated shop", "alice forum", "alice shop"]);
    await expect(usersOf({ username: "alice" })).resolves.toEqual(["alice forum", "alice shop"]);
    await expect(usersOf({ username: /^a/g, project: "shop" })).resolves.toEqual(["alice shop"]);
    await expect(usersOf({ username: "Unauthenticated" })).resolves.toEqual(["Unauthenticated shop"]);
    await expect(usersOf({ project: (project) => project === "forum" })).resolves.toEqual(["alice forum"]);
    await expect(sessions.getSession(idOf(cookie))).resolves.toMatchObject({
      ...{ username: "alice", project: "shop", sessionScope: "browser", clientAddress: "127.0.0.1", endedAt: null },
    });
    await expect(sessions.getSessionUser(idOf(cookie))).resolves.toBe("alice");
    await expect(sessions.getSession(sessionIdOf("unknown"))).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });
});

describe("a kill that fails half-way", () => {
  /** Whose queries take their time between two sessions. */
  class SlowQueryStore extends MemoryStore {
    override async *find(...args: Parameters<MemoryStore["find"]>) {
      for await (const record of super.find(...args)) {
        yield record;
        await sleep(10);
      }
    }
  }

  it("P7: rejects, and leaves no rejection to nobody, while its query goes on", async () => {
    const store = new FaultyStore(new SlowQueryStore());
    for (let n = 0; n < 5; n += 1) await store.create(sessionRecord({ owner: "alice" }));
    const sessions = new Sessions({ store, clearSchedule: false, storeTimeout: "20s" });
    store.fail("end", "rejects");
    await expect(sessions.killSessionByUser("alice")).rejects.toMatchObject({ code: "SESSION_STORE" });
    expect(store.calls.end).toBeLessThan(5);
    store.recover();
    await expect(sessions.killSessionByUser("alice")).resolves.toBe(5);
    await sessions.close();
  });
});

describe("close", () => {
  it("P1: waits for a save that is under way, and answers its request", async () => {
    const inner = new MemoryStore();
    const store = new FaultyStore(inner);
    const app = await startLifeApp({ store });
    const save = closedGate();
    const events: string[] = [];
    store.pause = (operation, moment) => (operation === "create" && moment === "before" ? save.pass() : undefined);
    const answer = app.get("/set").then((got) => events.push(`answered ${got.status}`));
    await save.reached;
    const closing = app.sessions.close().then(() => events.push("closed"));
    await sleep(50);
    events.push("saved");
    save.open();
    await Promise.all([answer, closing]);
    expect(events[0]).toBe("saved");
    expect(events.slice(1).sort()).toEqual(["answered 200", "closed"]);
    await app.close();
  });

  it("makes every later call reject with SESSION_CLOSED, and every request with a cookie answer 503", async () => {
    const app = await startLifeApp({ store: new MemoryStore() });
    const cookie = await visit(app, "/set");
    const { sessions } = app;
    await sessions.close();
    await sessions.close();
    const id = idOf(cookie);
    for (const call of [
      () => sessions.kill(id),
      () => sessions.killSessionByUser("alice"),
      () => sessions.killAllSessions(),
      () => sessions.getSession(id),
      () => sessions.getSessionUser(id),
      () => sessions.getSessionInfo(),
      () => sessions.clearSessions(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: "SESSION_CLOSED", status: 503 });
    }
    for (const headers of [{ cookie }, {}]) {
      const answer = await app.get("/set", headers);
      expect(answer).toMatchObject({ status: 503, cookie: undefined });
      expect(JSON.parse(answer.body)).toMatchObject({ code: "SESSION_CLOSED" });
    }
    await app.close();
  });
});
