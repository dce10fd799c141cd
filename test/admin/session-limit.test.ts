import { Sessions } from "../../lib";
import type { SessionOptions } from "../../lib";
import type { SessionStore } from "../../lib/stores/store";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { idOf, startLifeApp, visit } from "../support/session-life";
import { sessionRecord } from "../support/session-records";

describeOnEveryStore("maxSessionsPerUser", (every) => {
  let store: SessionStore;
  let now: number;
  const apps: RunningApp[] = [];

  beforeEach(async () => {
    now = Date.now();
    store = await every.open({ now: () => now });
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });

  const start = async (options: SessionOptions = { maxSessionsPerUser: 3 }) => {
    const app = await startLifeApp({ store, project: "shop", now: () => now, ...options });
    apps.push(app);
    return app;
  };
  const liveIds = async (app: RunningApp, username = "alice") =>
    (await app.sessions.getSessionInfo({ username })).map(({ id }) => id).sort();

  it("ends the oldest session of a user who logs in once more, and says why", async () => {
    const app = await start();
    const ended: unknown[] = [];
    app.sessions.on("ended", (event) => ended.push(event));
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      ids.push(idOf(await visit(app, "/login/alice")));
      now += 1000;
    }
    await visit(app, "/login/bob");
    expect(await liveIds(app)).toEqual(ids.slice(2).sort());
    expect(await liveIds(app, "bob")).toHaveLength(1);
    await expect(app.sessions.getSession(ids[0]!)).resolves.toMatchObject({ endReason: "limit", endedBy: null });
    expect(ended).toEqual(ids.slice(0, 2).map((id) => ({ id, owner: "alice", reason: "limit" })));
  });

  it("leaves exactly the limit of twenty logins at once, on two instances", async () => {
    const [one, other] = [await start(), await start()];
    await Promise.all(Array.from({ length: 20 }, (_, n) => visit(n % 2 === 0 ? one : other, "/login/alice")));
    expect(await liveIds(one)).toHaveLength(3);
    await visit(one, "/login/alice");
    expect(await liveIds(other)).toHaveLength(3);
  });

  it("does not count sessions of another project, clientless ones and expired ones", async () => {
    const app = await start({ maxSessionsPerUser: 1 });
    const others = [
      sessionRecord({ owner: "alice", project: "forum" }),
      sessionRecord({ owner: "alice", project: "shop", scope: "clientless" }),
    ];
    const expired = sessionRecord({ owner: "alice", project: "shop", expiresAt: now - 1 });
    for (const record of [...others, expired]) await store.create(record);
    const id = idOf(await visit(app, "/login/alice"));
    expect(await liveIds(app)).toEqual([...others.map((record) => record.id), id].sort());
    await expect(app.sessions.getSession(expired.id)).resolves.toMatchObject({ endReason: "expired" });
  });

  it("ends nothing where it is not set", async () => {
    const app = await start({});
    for (let n = 0; n < 5; n += 1) await visit(app, "/login/alice");
    expect(await liveIds(app)).toHaveLength(5);
  });

  it("applies to users signed in by userOf", async () => {
    const app = await start({ maxSessionsPerUser: 1, userOf: (session) => session.get("tea", null) as string });
    const first = await visit(app, "/set");
    now += 1000;
    const second = await visit(app, "/set");
    expect(await liveIds(app, "black")).toEqual([idOf(second)]);
    await expect(app.sessions.getSession(idOf(first))).resolves.toMatchObject({ endReason: "limit" });
  });

  it("never ends the session that was signed in just now, even if it began before the others as a guest's", async () => {
    const app = await start({ maxSessionsPerUser: 2, userOf: (session) => session.get("user", null) as string });
    const guest = await visit(app, "/set");
    const ids: string[] = [];
    for (let n = 0; n < 2; n += 1) {
      now += 1000;
      ids.push(idOf(await visit(app, "/login/alice")));
    }
    expect((await app.get("/update/alice", { cookie: guest })).status).toBe(200);
    expect(await liveIds(app)).toEqual([idOf(guest), ids[1]].sort());
    await expect(app.sessions.getSession(ids[0]!)).resolves.toMatchObject({ endReason: "limit" });
  });

  it("applies to users signed in by userOf from what an atomic update stored", async () => {
    const app = await start({ maxSessionsPerUser: 1, userOf: (session) => session.get("user", null) as string });
    const first = await visit(app, "/set", "/update/alice");
    now += 1000;
    const second = await visit(app, "/set", "/update/alice");
    expect(await liveIds(app)).toEqual([idOf(second)]);
    await expect(app.sessions.getSession(idOf(first))).resolves.toMatchObject({ endReason: "limit" });
  });
});

describe("maxSessionsPerUser", () => {
  it.each([0, -1, 1.5, NaN, "3"])("can't be %p", (maxSessionsPerUser) => {
    expect(() => new Sessions({ maxSessionsPerUser } as SessionOptions)).toThrow(/Option maxSessionsPerUser/);
  });
});
