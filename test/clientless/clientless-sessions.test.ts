import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientlessSession, Sessions } from "../../lib";
import type { SessionEvent, SessionOptions } from "../../lib";
import { sessionIdOf } from "../../lib/record/token";
import type { SessionStore } from "../../lib/stores/store";
import { describeOnEveryStore } from "../support/every-store";
import { sessionRecord } from "../support/session-records";

const HOUR = 3_600_000;

describeOnEveryStore("clientless sessions", (every) => {
  let now: number;
  let store: SessionStore;
  let sessions: Sessions;
  let errors: unknown[];

  function newSessions(options: SessionOptions = {}): Sessions {
    const made = new Sessions({ store, clearSchedule: false, now: () => now, project: "shop", ...options });
    made.on("error", (error) => errors.push(error));
    return made;
  }

  beforeEach(async () => {
    now = Date.now();
    errors = [];
    store = await every.open({ now: () => now });
    sessions = newSessions();
  });

  afterEach(async () => {
    expect(errors).toEqual([]);
    await sessions.close();
  });

  it("are the same dict as req.session, and are saved by save() and before they are ended", async () => {
    const session = await sessions.openClientlessSession("alice", { data: { month: "May", start: 1 } });
    expect(session).toBeInstanceOf(ClientlessSession);
    expect([session.owner, session.get("month"), session.get("start"), session.isNew]).toEqual([
      "alice",
      "May",
      1,
      false,
    ]);
    Object.assign(session, { progress: [1, 2] });
    await session.save();
    (session.get("progress") as number[]).push(3);
    await session.update("count", (n) => Number(n ?? 0) + 1);
    await session.save();
    const stored = await store.load(session.id);
    expect(stored?.data).toMatchObject({ month: '"May"', start: "1", progress: "[1,2,3]", count: "1" });
    await session.close();
    expect(session.get("progress")).toEqual([1, 2, 3]);
  });

  it("are listed, counted, found by user, and emitted as events", async () => {
    const told: (SessionEvent & { reason?: string })[] = [];
    sessions.on("created", (event) => told.push(event));
    sessions.on("ended", (event) => told.push(event));
    const { id, ...session } = await sessions
      .openClientlessSession("alice")
      .then((opened) => ({ id: opened.id, opened }));
    expect(await sessions.getSessionInfo({ username: "alice" })).toMatchObject([
      { id, username: "alice", sessionScope: "clientless", project: "shop", expiresAt: null, endedAt: null },
    ]);
    expect(await sessions.getSessionUser(id)).toBe("alice");
    expect(await sessions.tally()).toEqual([{ project: "shop", scope: "clientless", isGuest: false, live: 1 }]);
    await session.opened.close();
    await session.opened.close();
    expect(told).toEqual([
      { id, owner: "alice" },
      { id, owner: "alice", reason: "closed" },
    ]);
    expect(await sessions.getSession(id)).toMatchObject({ endReason: "closed", endedBy: "alice" });
    expect(await sessions.getSessionInfo()).toEqual([]);
  });

  it("have no idle limit: one that nobody closes is still open after ten years, and is not cleared", async () => {
    const { id } = await sessions.openClientlessSession("alice");
    now += 10 * 365 * 24 * HOUR;
    expect(await sessions.clearSessions()).toBe(0);
    expect(await sessions.getSession(id)).toMatchObject({ endedAt: null });
  });

  it("P8: end when their maxAge is over, at that millisecond", async () => {
    const session = await sessions.openClientlessSession("alice", { maxAge: "1h", project: "reports" });
    expect(session.meta).toMatchObject({ project: "reports", expiresAt: new Date(now + HOUR) });
    now += HOUR - 1;
    expect(await sessions.getSession(session.id)).toMatchObject({ endedAt: null });
    now += 1;
    expect(await sessions.getSession(session.id)).toMatchObject({ endReason: "expired" });
    await expect(session.close()).rejects.toMatchObject({ code: "SESSION_ENDED" });
    await expect(sessions.closeClientlessSession(session.id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
  });

  it("P8: abort their tasks when their maxAge is over", async () => {
    const watchful = newSessions({ killCheckInterval: "5ms" });
    watchful.defineTask("wait", ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)));
    const session = await watchful.openClientlessSession("alice", { maxAge: "1h" });
    session.start("wait");
    now += HOUR;
    await session.result("wait");
    await expect(session.close()).rejects.toMatchObject({ code: "SESSION_ENDED" });
    expect(await sessions.getSession(session.id)).toMatchObject({ endReason: "expired" });
  });

  it("are closed by another process, once", async () => {
    const elsewhere = newSessions();
    const { id } = await sessions.openClientlessSession("alice");
    await elsewhere.closeClientlessSession(id);
    expect(await sessions.getSession(id)).toMatchObject({ endReason: "closed", endedBy: "alice" });
    for (const each of [elsewhere, sessions]) {
      await expect(each.closeClientlessSession(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND", status: 404 });
    }
  });

  it("P2: say so when they are closed, or save, after another process has ended them", async () => {
    const elsewhere = newSessions();
    const [closed, saved] = [
      await sessions.openClientlessSession("alice"),
      await sessions.openClientlessSession("bob"),
    ];
    for (const { id } of [closed, saved]) await elsewhere.kill(id);
    await expect(closed.close()).rejects.toMatchObject({ code: "SESSION_ENDED" });
    await expect(saved.set("a", 1).save()).rejects.toMatchObject({ code: "SESSION_ENDED" });
    expect(() => saved.start("any")).toThrow(expect.objectContaining({ code: "SESSION_ENDED" }));
    expect(await elsewhere.getSession(saved.id)).toMatchObject({ endReason: "killed" });
  });

  it("can't be closed by an unknown id, or by that of a browser's session", async () => {
    const browser = sessionRecord({ owner: "alice", project: "shop" });
    await store.create(browser);
    for (const id of [browser.id, sessionIdOf("unknown")]) {
      await expect(sessions.closeClientlessSession(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    }
    await expect(sessions.closeClientlessSession("nonsense")).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    expect(await store.load(browser.id)).toBeDefined();
  });

  it("are ended by killSessionByUser like any other", async () => {
    const { id } = await sessions.openClientlessSession("alice");
    await sessions.openClientlessSession("bob");
    expect(await sessions.killSessionByUser("alice")).toBe(1);
    expect(await sessions.getSession(id)).toMatchObject({ endReason: "killed" });
    expect(await sessions.getSessionInfo()).toHaveLength(1);
  });

  it("belong to their user for good: no sign-in, and nothing in their data, changes that", async () => {
    await sessions.close();
    store = await every.open({ now: () => now });
    sessions = newSessions({ userOf: (session) => (session.get("user") as string | undefined) ?? null });
    const session = await sessions.openClientlessSession("alice", { data: { user: "mallory" } });
    for (const refused of [
      () => session.login("mallory"),
      () => session.logout(),
      () => session.reset(),
      () => session.regenerate(),
      () => session.destroy(),
    ]) {
      await expect(refused()).rejects.toMatchObject({ code: "SESSION_CLIENTLESS" });
    }
    await session.set("user", "bob").save();
    await session.update("user", () => "carol");
    expect([session.owner, (await store.load(session.id))?.owner]).toEqual(["alice", "alice"]);
    await session.close();
  });

  it("have one-time security keys, which any process validates once, and no static one, which needs a cookie", async () => {
    const session = await sessions.openClientlessSession("alice");
    const { securityKeys } = session;
    const refused = expect.objectContaining({
      ...{ code: "SESSION_CLIENTLESS", message: expect.stringMatching(/no static key.*securityKeys\.create\(\)/) },
    });
    expect(() => securityKeys.staticKey).toThrow(refused);
    expect(() => securityKeys.maskedKey()).toThrow(refused);
    const key = await securityKeys.create({ payload: { order: 7 } });
    expect(securityKeys.isStaticKey(key)).toBe(false);
    expect(Object.keys((await store.load(session.id))?.keys ?? {})).toHaveLength(1);
    const answers = await Promise.all([1, 2, 3].map(() => securityKeys.validate(key)));
    expect(answers.filter((answer) => answer !== undefined)).toEqual([{ order: 7 }]);
    expect((await store.load(session.id))?.keys).toEqual({});
    await session.close();
    await expect(securityKeys.create()).rejects.toMatchObject({ code: "SESSION_ENDED" });
  });

  it("have attributes, which are stored at once, and encrypted on request", async () => {
    const secret = newSessions({ secrets: [randomBytes(32).toString("hex")] });
    const session = await secret.openClientlessSession("alice");
    const { id, attributes } = session;
    await attributes.create("card", "4111", { encrypt: true, expiresIn: "1h" });
    await attributes.create("name", "Alice");
    expect(await attributes.getInfo("card")).toMatchObject({ value: "4111", encrypted: true });
    expect(Object.keys((await store.load(id))?.attributes ?? {}).sort()).toEqual(["card", "name"]);
    now += HOUR;
    expect(await attributes.toObject()).toEqual({ name: "Alice" });
    await session.close();
  });

  describe("withClientlessSession", () => {
    it("returns what the function returns, and closes", async () => {
      let id = "";
      const answer = sessions.withClientlessSession("alice", async (session) => {
        id = session.id;
        expect(await sessions.getSession(id)).toMatchObject({ username: "alice", endedAt: null });
        return 42;
      });
      expect(await answer).toBe(42);
      expect(await sessions.getSession(id)).toMatchObject({ endReason: "closed" });
    });

    it("closes also when the function throws, and rejects with its error", async () => {
      let id = "";
      const answer = sessions.withClientlessSession("alice", (session) => {
        id = session.id;
        throw new RangeError("by the function");
      });
      await expect(answer).rejects.toEqual(new RangeError("by the function"));
      expect(await sessions.getSession(id)).toMatchObject({ endReason: "closed" });
    });

    it("rejects with SESSION_ENDED where the session was killed meanwhile", async () => {
      const answer = sessions.withClientlessSession("alice", async () => sessions.killSessionByUser("alice"));
      await expect(answer).rejects.toMatchObject({ code: "SESSION_ENDED" });
    });

    it("gives the session a lease: without its process it is abandoned when the lease is over, and not before", async () => {
      const elsewhere = newSessions();
      const over = sessions.withClientlessSession("alice", async (session) => {
        const { id } = session;
        now += 15 * 60_000 - 1;
        expect(await elsewhere.getSession(id)).toMatchObject({ endedAt: null, expiresAt: new Date(now + 1) });
        now += 1;
        expect(await elsewhere.getSession(id)).toMatchObject({ endReason: "abandoned", endedAt: new Date(now) });
        expect(await elsewhere.getSessionInfo()).toEqual([]);
        await expect(elsewhere.closeClientlessSession(id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
      });
      await expect(over).rejects.toMatchObject({ code: "SESSION_ENDED" });
    });
  });

  it("have a lease from await using on, and are closed at the end of its block", async () => {
    const opened = await sessions.openClientlessSession("alice");
    {
      await using session = opened;
      await until(async () => (await store.load(session.id))?.idleMs === 15 * 60_000);
      expect(await store.load(session.id)).toMatchObject({ expiresAt: now + 15 * 60_000, endsAt: Infinity });
      session.set("a", 1);
    }
    expect(await sessions.getSession(opened.id)).toMatchObject({ endReason: "closed" });
  });

  it("renew their lease while their process lives, and P2: never bring back what was killed", async () => {
    await sessions.close();
    store = await every.open({ now: () => now });
    sessions = newSessions({ leaseTimeout: 60_000, killCheckInterval: "5ms" });
    await sessions.withClientlessSession("alice", async ({ id }) => {
      for (let minutes = 0; minutes < 3; minutes += 1) {
        now += 40_000;
        await until(async () => (await store.load(id))?.expiresAt === now + 60_000);
      }
    });
    const killed = sessions.withClientlessSession("bob", async ({ id }) => {
      await newSessions().kill(id);
      now += 40_000;
      await sleep(50);
      expect(await store.load(id)).toBeUndefined();
    });
    await expect(killed).rejects.toMatchObject({ code: "SESSION_ENDED" });
  });

  it("refuse wrong arguments, and open nothing", async () => {
    const open = (...args: unknown[]) => sessions.openClientlessSession(...(args as ["alice"]));
    const nothing = async () => undefined;
    const within = (...args: unknown[]) => sessions.withClientlessSession(...(args as ["alice", () => Promise<void>]));
    const refused: [Promise<unknown>, RegExp][] = [
      [open(""), /takes a user id, and "" is none/],
      [open(undefined), /not undefined/],
      [open("__guest__"), /stands for nobody/],
      [open("alice", { maxAge: -1 }), /maxAge can't be -1/],
      [open("alice", { maxAge: 0 }), /maxAge can't be 0/],
      [open("alice", { maxAge: "soon" }), /maxAge can't be 'soon'/],
      [open("alice", { maxage: 1 }), /has no option "maxage"; did you mean maxAge\?/],
      [open("alice", { drainTimeout: "1m" }), /has no option "drainTimeout"/],
      [open("alice", { project: "a b" }), /project can't be 'a b'/],
      [open("alice", { project: 1n }), /project can't be 1n/],
      ...["text", null, ["a"], new Map([["a", 1]]), new Date(), () => 1].map((data): [Promise<unknown>, RegExp] => [
        open("alice", { data }),
        /data is an object/,
      ]),
      [open("alice", null), /the options are an object/],
      [within("", nothing), /takes a user id/],
      [within("alice", "no function"), /takes a function to run in the session, not string/],
      [within("alice", nothing, { drainTimeout: -5 }), /drainTimeout can't be -5/],
    ];
    for (const [call, message] of refused) {
      await expect(call).rejects.toMatchObject({ code: "SESSION_ARGUMENT", message: expect.stringMatching(message) });
    }
    await expect(open("alice", { data: { cart: { price: () => 1 } } })).rejects.toMatchObject({
      code: "SESSION_VALUE",
    });
    expect(await sessions.getSessionInfo()).toEqual([]);
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(5);
}
