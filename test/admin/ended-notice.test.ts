import type { EndedNotice, Sessions } from "../../lib";
import { sessionInfo } from "../../lib/admin/listing/session-info";
import type { SessionStore } from "../../lib/stores/store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { idOf } from "../support/session-life";
import { sessionRecord } from "../support/session-records";
import { watchedStore } from "../support/watched-store";

describeOnEveryStore("endedNotice", (every) => {
  let store: SessionStore;
  let now: number;
  let app: RunningApp;
  let calls: string[];

  beforeEach(async () => {
    now = Date.now();
    const watched = watchedStore(undefined, await every.open({ now: () => now }));
    ({ store, calls } = watched);
    app = await start("shop");
  });
  afterEach(() => app.close());

  const start = (project: string, also?: Sessions) =>
    startApp(
      (express, sessions) => {
        if (also !== undefined) express.use(also.middleware());
        express.get("/login/:user", async (req, res) => {
          await req.session.login(req.params.user);
          res.end();
        });
        express.get("/logout", async (req, res) => {
          await req.session.logout();
          res.end();
        });
        express.get("/home", (_req, res) => res.end());
        express.get("/why", async (req, res) => {
          res.json({ notice: await sessions.endedNotice(req) });
        });
      },
      { store, project, now: () => now },
    );

  const login = async () => (await app.get("/login/alice")).cookie ?? "";
  const why = async (cookie: string, at = app) =>
    (JSON.parse((await at.get("/why", { cookie })).body) as { notice?: EndedNotice }).notice;

  it("tells the browser of an ended session when, why, by whom and with what message it was ended", async () => {
    const cookie = await login();
    expect(await why(cookie)).toBeUndefined();
    await app.sessions.kill(idOf(cookie), { message: "Your order is being looked into. ☕ <b>" });
    expect(await why(cookie)).toEqual({
      ...{ reason: "killed", endedAt: new Date(now).toJSON(), endedBy: null },
      message: "Your order is being looked into. ☕ <b>",
    });
  });

  it("tells of a logout and of an expiry, until keepEnded is over", async () => {
    const [first, second] = [await login(), await login()];
    await app.get("/logout", { cookie: first });
    expect(await why(first)).toMatchObject({ reason: "logout", endedBy: "alice", message: null });
    const expiredAt = now + 3_600_000;
    now = expiredAt + 5;
    expect(await why(second)).toMatchObject({ reason: "expired", endedAt: new Date(expiredAt).toJSON() });
    now += 24 * 3_600_000;
    expect(await why(first)).toBeUndefined();
    expect(await why(second)).toBeUndefined();
  });

  it("tells a stranger, a forged cookie and another project nothing", async () => {
    const cookie = await login();
    await app.sessions.kill(idOf(cookie), { message: "secret" });
    const forum = await start("forum");
    const value = cookie.slice(cookie.indexOf("=") + 1);
    expect(await why(`sid-forum=${value}`, forum)).toBeUndefined();
    expect(await why("")).toBeUndefined();
    expect(await why(`sid-shop=${"A".repeat(43)}`)).toBeUndefined();
    expect(await why("sid-shop=forged")).toBeUndefined();
    await forum.close();
  });

  it("P5: asks the store only when it is called", async () => {
    const cookie = await login();
    await app.sessions.kill(idOf(cookie));
    calls.length = 0;
    await app.get("/home", { cookie });
    expect(calls).toEqual(["load"]);
    calls.length = 0;
    await why("");
    expect(calls).toEqual([]);
  });
});

describe("sessionInfo", () => {
  const HOUR = 3_600_000;
  const AT = Date.UTC(2030, 0, 1);
  const record = sessionRecord({
    createdAt: AT,
    lastSeenAt: AT + HOUR,
    expiresAt: AT + 2 * HOUR,
    endsAt: AT + 9 * HOUR,
  });

  it("tells how long a session has lived, and what is open in it", () => {
    const page = { path: "/tea", title: "Tea", openedAt: AT, seenAt: AT + HOUR };
    const info = sessionInfo({ ...record, pages: { b: page, a: page } }, AT + HOUR + 5);
    expect(info).toMatchObject({ uptime: HOUR + 5, lastComm: 5, activePages: 2, pageIds: ["b", "a"], endReason: null });
  });

  it("gives no negative times of a session that an instance with another clock has just started", () => {
    expect(sessionInfo(record, AT - 5)).toMatchObject({ uptime: 0, lastComm: 0, endReason: null });
  });

  it("counts no pages of a session that is over, and its uptime until its end", () => {
    const page = { path: "/tea", title: "Tea", openedAt: AT, seenAt: AT + HOUR };
    const info = sessionInfo({ ...record, pages: { a: page } }, AT + 5 * HOUR);
    expect(info).toMatchObject({ uptime: 2 * HOUR, activePages: 0, pageIds: [], endReason: "expired" });
  });

  it("calls a clientless session abandoned where it was idle too long, and expired at its absolute limit", () => {
    const reason = (fields: object, at: number) => sessionInfo({ ...record, ...fields }, at).endReason;
    const clientless = { scope: "clientless" };
    expect(reason(clientless, AT + 2 * HOUR - 1)).toBeNull();
    expect(reason(clientless, AT + 2 * HOUR)).toBe("abandoned");
    expect(reason({ ...clientless, endsAt: AT + 2 * HOUR }, AT + 2 * HOUR)).toBe("expired");
    expect(reason({}, AT + 2 * HOUR)).toBe("expired");
  });

  it("adds the bytes that were counted and not yet written", () => {
    const counted = { ...record, counters: { bytesSent: 100, recentBytes: -5 } };
    expect(sessionInfo(counted, AT)).toMatchObject({ totalBytesSent: 100, recentBytesSent: 0 });
    expect(sessionInfo(counted, AT, { total: 7, recent: 3 })).toMatchObject({
      totalBytesSent: 107,
      recentBytesSent: 3,
    });
  });
});
