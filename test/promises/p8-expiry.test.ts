import type { Express } from "express";
import { GUEST_USER } from "../../lib/record/session-record";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import { idOf } from "../support/session-life";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function routes(advance: (ms: number) => void, touched: () => Promise<void>): (app: Express) => void {
  return (app) => {
    app.get("/long-ago/:action", async (req, res) => {
      await touched();
      advance(1);
      if (req.params.action === "reset") await req.session.reset();
      if (req.params.action === "login") await req.session.login("alice");
      res.end();
    });
    app.get("/set", (req, res) => {
      req.session.set("tea", "black");
      res.end();
    });
    app.get("/read", (req, res) => {
      const { owner, isNew } = req.session;
      res.json({ tea: req.session.get("tea", null), owner, isNew });
    });
    app.get("/login", async (req, res) => {
      await req.session.login("alice", { remember: req.query.remember === "yes" });
      res.end();
    });
    app.get("/long/:action", async (req, res) => {
      req.session.get("tea");
      advance(HOUR);
      if (req.params.action === "set") req.session.set("tea", "late");
      if (req.params.action === "update") await req.session.update("tea", () => "late");
      if (req.params.action === "reset") await req.session.reset();
      if (req.params.action === "login") await req.session.login("alice");
      res.json({ tea: req.session.get("tea", null) });
    });
  };
}

describeOnEveryStore("expiry", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  let clock: number;
  let headers: { cookie: string };

  beforeEach(async () => {
    clock = Date.now();
    const now = () => clock;
    store = new FaultyStore(await every.open({ now }));
    const limits = { idleTimeout: "1h", absoluteTimeout: "24h", rememberTimeout: "30d", keepEnded: "1h" } as const;
    app = await startApp(
      routes(
        (ms) => (clock += ms),
        () => store.idle(),
      ),
      { store, now, touchInterval: "1m", ...limits },
    );
    headers = { cookie: (await app.get("/set")).cookie ?? "" };
  });

  afterEach(() => app.close());

  async function read(): Promise<unknown> {
    const { body } = await app.get("/read", headers);
    await store.idle(); // The touch, if there was one.
    return JSON.parse(body);
  }

  const live = { tea: "black", owner: GUEST_USER, isNew: false };
  const gone = { tea: null, owner: GUEST_USER, isNew: true };

  it("P8: a session is there one millisecond before its idle limit, and gone at it", async () => {
    clock += HOUR - 1;
    expect(await read()).toEqual(live);
    clock += HOUR;
    expect(await read()).toEqual(gone);
  });

  it("P8: the idle limit slides with each visit, and the absolute one never moves", async () => {
    const end = clock + DAY;
    for (; clock < end - 30 * MINUTE; clock += 30 * MINUTE) expect(await read()).toEqual(live);
    clock = end - 1;
    expect(await read()).toEqual(live);
    clock = end;
    expect(await read()).toEqual(gone);
  });

  it("P8: a remembered login lives as long as rememberTimeout without a visit, and not longer with one", async () => {
    const { headers: sent, cookie } = await app.get("/login?remember=yes", headers);
    expect(sent["set-cookie"]?.[0]).toContain(`Max-Age=${(30 * DAY) / 1000}`);
    headers = { cookie: cookie ?? "" };
    clock += 30 * DAY - 1;
    expect(await read()).toEqual({ tea: null, owner: "alice", isNew: false });
    clock += 1;
    expect(await read()).toEqual(gone);
  });

  it("P8: a login that is not remembered has the limits of any session", async () => {
    headers = { cookie: (await app.get("/login", headers)).cookie ?? "" };
    clock += HOUR;
    expect(await read()).toEqual(gone);
  });

  it("P8: what nobody has cleared is neither shown, nor found, nor counted", async () => {
    const id = idOf(headers.cookie);
    clock += HOUR - 1;
    await expect(app.sessions.getSessionInfo()).resolves.toHaveLength(1);
    clock += 1;
    await expect(app.sessions.getSessionInfo()).resolves.toEqual([]);
    await expect(app.sessions.getSession(id)).resolves.toMatchObject({ endReason: "expired", expiresAt: null });
    await expect(app.sessions.kill(id)).resolves.toBe(false);
    await expect(app.sessions.killAllSessions()).resolves.toBe(0);
  });

  it("P8: clearing takes what is past its time by more than five minutes, and nothing younger", async () => {
    const kept = await app.get("/login?remember=yes");
    clock += HOUR + HOUR + 5 * MINUTE; // idleTimeout, keepEnded, and the grace
    await expect(app.sessions.clearSessions()).resolves.toBe(0);
    clock += 1;
    await expect(app.sessions.clearSessions()).resolves.toBe(1);
    headers = { cookie: kept.cookie ?? "" };
    expect(await read()).toMatchObject({ owner: "alice", isNew: false });
  });

  it("P5: an expired cookie creates no record, and its value is never adopted", async () => {
    clock += HOUR;
    store.resetCalls();
    const before = headers.cookie;
    expect(await read()).toEqual(gone);
    expect(store.writes).toBe(0);
    const answer = await app.get("/set", headers);
    expect(answer.status).toBe(200);
    expect(answer.cookie).toMatch(/^sid=.{43}$/);
    expect(answer.cookie).not.toBe(before);
    expect(await read()).toEqual(gone);
  });

  it.each(["set", "update", "reset"])(
    "P8: a session that expires during the request is ended for its %s",
    async (action) => {
      const answer = await app.get(`/long/${action}`, headers);
      expect(answer).toMatchObject({ status: 409, cookie: undefined });
      expect(JSON.parse(answer.body)).toMatchObject({ code: "SESSION_ENDED" });
      clock -= HOUR;
      expect(await read()).toEqual(live); // On a clock that is behind: what was stored is as it was.
    },
  );

  it("P8: a session that expires during the request does not stop a login", async () => {
    const { status, cookie } = await app.get("/long/login", headers);
    expect(status).toBe(200);
    headers = { cookie: cookie ?? "" };
    expect(await read()).toEqual({ tea: null, owner: "alice", isNew: false });
  });

  it("P8: a request that only reads is answered, also where its session expires meanwhile", async () => {
    const answer = await app.get("/long/read", headers);
    expect(answer).toMatchObject({ status: 200, body: '{"tea":"black"}' });
  });

  it.each(["reset", "login"])("P8: a limit that was renewed after the load counts for a %s", async (action) => {
    clock += HOUR - 1;
    // This request renews it beside its handler, which goes on beyond the limit that was loaded.
    const { status, cookie } = await app.get(`/long-ago/${action}`, headers);
    expect(status).toBe(200);
    expect(await read()).toEqual(gone);
    headers = { cookie: cookie ?? "" };
    expect(await read()).toMatchObject({ isNew: false });
    await expect(app.sessions.getSessionInfo()).resolves.toHaveLength(1);
  });
});
