import { GUEST_USER, setUserContext, withUserContext } from "../../../lib";
import type { AuditEntry, KillAllOptions, SessionAdmin, SessionOptions } from "../../../lib";
import { sessionIdOf } from "../../../lib/record/token";
import type { SessionStore } from "../../../lib/stores/store";
import { startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";
import { describeOnEveryStore } from "../../support/every-store";
import { idOf } from "../../support/session-life";
import { watchedStore } from "../../support/watched-store";
import { addSignIn } from "../../support/sign-in-routes";

/** The calls that a handler makes, by the session with this id. */
type Ask = (admin: SessionAdmin, own: string) => Promise<unknown>;

/** The outcome of a call: its result, or the code of its error. */
type Outcome = { answer: unknown } | { code: unknown; status: unknown; message: unknown };

describeOnEveryStore("SessionAdmin", (every) => {
  let store: SessionStore;
  let app: RunningApp;
  let entries: AuditEntry[];
  let expired: Set<string>;
  let now: number;

  beforeEach(async () => {
    now = Date.now();
    entries = [];
    expired = new Set();
    store = await every.open({ now: () => now });
    app = await start();
  });

  afterEach(() => app.close());

  let ask: Ask;
  const start = (options: SessionOptions = {}) =>
    startApp(
      (express, sessions) => {
        addSignIn(express);
        express.get("/ask", async (req, res) => {
          let outcome: Outcome;
          try {
            outcome = { answer: await ask(sessions.admin(req), req.session.id) };
          } catch (error) {
            const { code, status, message } = error as { code?: unknown; status?: unknown; message?: unknown };
            outcome = { code, status, message };
          }
          res.json(outcome);
        });
      },
      {
        ...{ store, project: "shop", now: () => now, audit: (entry) => entries.push(entry) },
        isSuperUser: (user) => user === "root",
        isPasswordExpired: async (user) => expired.has(user),
        ...options,
      },
    );

  const login = async (user: string, at = app) => (await at.get(`/login/${user}`)).cookie ?? "";
  const guest = async () => (await app.get("/guest")).cookie ?? "";
  const asks = async (cookie: string, what: Ask, at = app, headers = {}): Promise<Outcome> => {
    ask = what;
    return JSON.parse((await at.get("/ask", { cookie, ...headers })).body) as Outcome;
  };
  const REFUSED = { code: "NOT_ALLOWED", status: 403 };

  it("lets a super-user look at a session, and at all of them", async () => {
    const [root, alice] = [await login("root"), await login("alice")];
    const id = idOf(alice);
    expect(await asks(root, (admin) => admin.get(id))).toMatchObject({
      answer: { id, username: "alice", project: "shop", sessionScope: "browser", endedAt: null, authorized: true },
    });
    expect(await asks(root, (admin) => admin.verify(id))).toEqual({ answer: true });
    const { answer } = (await asks(root, (admin) => admin.list())) as { answer: { username: string }[] };
    expect(answer.map(({ username }) => username).sort()).toEqual(["alice", "root"]);
    expect(await asks(root, (admin) => admin.describe(id))).toMatchObject({
      answer: { info: { id }, data: [{ name: "secret", bytes: expect.any(Number) }], attributes: [] },
    });
    expect(await asks(root, (admin) => admin.tally())).toEqual({
      answer: [{ project: "shop", scope: "browser", isGuest: false, live: 2 }],
    });
  });

  it("does not renew a session by reading it, and renews one when asked to", async () => {
    const [root, alice] = [await login("root"), await login("alice")];
    const id = idOf(alice);
    const before = await store.load(id);
    now += 60_000;
    await asks(root, (admin) => admin.get(id));
    await asks(root, (admin) => admin.describe(id));
    expect((await store.load(id))?.lastSeenAt).toBe(before?.lastSeenAt);
    const renewed = (await asks(root, (admin) => admin.renew(id))) as { answer: { expiresAt: string } };
    expect(new Date(renewed.answer.expiresAt).getTime()).toBe(now + 3_600_000);
    expect(await store.load(id)).toMatchObject({ lastSeenAt: now, endsAt: before?.endsAt });
  });

  it("P2: ends and counts one session, a user's, one's own others, and all", async () => {
    const root = await login("root");
    const [first] = [await login("alice"), await login("alice"), await login("bob"), await guest()];
    expect(await asks(root, (admin) => admin.kill(idOf(first), { message: "Sorry!" }))).toEqual({ answer: true });
    expect(await asks(root, (admin) => admin.kill(idOf(first)))).toEqual({ answer: false });
    await expect(app.sessions.getSession(idOf(first))).resolves.toMatchObject({
      ...{ endReason: "killed", endedBy: "root", endMessage: "Sorry!", authorized: false },
    });
    expect(await asks(root, (admin) => admin.killByUser("alice"))).toEqual({ answer: 1 });
    expect(await asks(root, (admin) => admin.killByUser("Unauthenticated"))).toEqual({ answer: 1 });
    expect(await asks(root, (admin) => admin.killByUser(GUEST_USER))).toEqual({ answer: 0 });
    await login("root");
    expect(await asks(root, (admin) => admin.killOthers())).toEqual({ answer: 1 });
    expect(await asks(root, (admin) => admin.killAll({ keepMine: true }))).toEqual({ answer: 1 });
    expect(await asks(root, (admin) => admin.killAll())).toEqual({ answer: 1 });
    expect(entries.map(({ ended }) => ended)).toEqual([1, 0, 1, 1, 0, 1, 1, 1]);
    expect(await app.sessions.getSessionInfo()).toHaveLength(0);
  });

  it("lists what was checked, even if the filter is changed meanwhile", async () => {
    const alice = await login("alice");
    await login("bob");
    for (const changesAt of [1, 2, 3, 4]) {
      let reads = 0;
      const filter = { limit: 50 };
      Object.defineProperty(filter, "username", {
        enumerable: true,
        get: () => ((reads += 1) > changesAt ? "bob" : "alice"),
      });
      const listed = (await asks(alice, (admin) => admin.list(filter))) as { answer?: { username: string }[] };
      expect(listed.answer?.map(({ username }) => username) ?? []).not.toContain("bob");
    }
  });

  it("lets people list and end their own sessions, and nobody else's", async () => {
    const [alice, other, bob] = [await login("alice"), await login("alice"), await login("bob")];
    const mine = (await asks(alice, (admin) => admin.list({ username: "alice" }))) as { answer: { id: string }[] };
    expect(mine.answer.map(({ id }) => id).sort()).toEqual([idOf(alice), idOf(other)].sort());
    expect(await asks(alice, (admin) => admin.kill(idOf(other)))).toEqual({ answer: true });
    await login("alice");
    expect(await asks(alice, (admin) => admin.killOthers())).toEqual({ answer: 1 });
    const refused: Ask[] = [
      (admin) => admin.list(),
      (admin) => admin.list({ username: "bob" }),
      (admin) => admin.list({ username: /alice/ }),
      (admin) => admin.list({ username: () => true }),
      (admin) => admin.get(idOf(bob)),
      (admin) => admin.get(idOf(alice)),
      (admin) => admin.verify(idOf(bob)),
      (admin) => admin.describe(idOf(bob)),
      (admin) => admin.renew(idOf(bob)),
      (admin) => admin.tally(),
      (admin) => admin.lately(10),
      (admin) => admin.enter(),
      (admin) => admin.kill(idOf(bob)),
      (admin) => admin.kill(sessionIdOf("never there")),
      (admin) => admin.killByUser("bob"),
      (admin) => admin.killByUser(GUEST_USER),
      (admin) => admin.killAll(),
      (admin) => admin.killAll({ keepMine: true }),
    ];
    for (const what of refused) expect(await asks(alice, what)).toMatchObject(REFUSED);
    await expect(app.sessions.getSession(idOf(bob))).resolves.toMatchObject({ endedAt: null });
    expect(await asks(alice, (admin) => admin.killByUser("alice"))).toEqual({ answer: 1 });
  });

  it("lets a super-user in, and lists sessions that ended lately, with a cursor to go on", async () => {
    const root = await login("root");
    const ids = [idOf(await login("alice")), idOf(await login("bob")), idOf(await login("carol"))];
    for (const id of ids) await asks(root, (admin) => admin.kill(id));
    expect(await asks(root, (admin) => admin.enter())).toEqual({});
    const seen: string[] = [];
    await asks(root, async (admin) => {
      const some = await admin.lately(2);
      const rest = await admin.list({ live: false, after: some.next! });
      expect([some.length, rest.next, (await admin.lately(3)).next]).toEqual([2, undefined, undefined]);
      for (const { id, endReason } of [...some, ...rest]) seen.push(`${endReason} ${id}`);
    });
    expect(seen.sort()).toEqual(ids.map((id) => `killed ${id}`).sort());
    expect(entries.slice(-4).map(({ action }) => action)).toEqual(["enter", "lately", "list", "lately"]);
    expect(await asks(root, (admin) => admin.lately(0))).toMatchObject({ code: "SESSION_ARGUMENT" });
  });

  it("does not take guests for one user: a guest may end no guest's session", async () => {
    const [me, other] = [await guest(), await guest()];
    const refused: Ask[] = [
      (admin) => admin.kill(idOf(other)),
      (admin) => admin.killOthers(),
      (admin) => admin.killByUser(GUEST_USER),
      (admin) => admin.list({ username: "Unauthenticated" }),
    ];
    for (const what of refused) {
      expect(await asks(me, what)).toMatchObject(REFUSED);
      expect(await asks("", what)).toMatchObject(REFUSED);
    }
    expect(await app.sessions.getSessionInfo()).toHaveLength(2);
  });

  it("P2: an administrator whose own session was ended a moment ago can do nothing", async () => {
    const [root, alice] = [await login("root"), await login("alice")];
    const outcome = await asks(root, async (admin) => {
      await app.sessions.kill(idOf(root));
      return admin.kill(idOf(alice));
    });
    expect(outcome).toMatchObject(REFUSED);
    expect(entries.at(-1)).toMatchObject({ result: "refused", reason: "acting session over", target: null });
    await expect(app.sessions.getSession(idOf(alice))).resolves.toMatchObject({ endedAt: null });
  });

  it("P8: an administrator whose session expires during a request can do nothing from that millisecond on", async () => {
    const root = await login("root");
    expect(
      await asks(root, (admin) => {
        now += 3_600_000;
        return admin.list();
      }),
    ).toMatchObject(REFUSED);
  });

  it("shows no session whose user's password has expired, but can end it", async () => {
    const [root, alice] = [await login("root"), await login("alice")];
    expired.add("alice");
    const id = idOf(alice);
    for (const what of ["get", "describe", "renew"] as const) {
      expect(await asks(root, (admin) => admin[what](id))).toMatchObject(REFUSED);
    }
    expect(entries.every(({ reason }) => reason === "password expired")).toBe(true);
    expect(await asks(root, (admin) => admin.verify(id))).toEqual({ answer: false });
    expect(await asks(root, (admin) => admin.kill(id))).toEqual({ answer: true });
  });

  it("refuses existing and missing sessions alike, with the same store calls", async () => {
    await app.close();
    const watched = watchedStore(undefined, store);
    app = await start({ store: watched.store });
    const [alice, bob] = [await login("alice"), await login("bob")];
    const told: unknown[] = [];
    for (const target of [idOf(bob), sessionIdOf("never there")]) {
      for (const what of ["get", "verify", "kill", "renew", "describe"] as const) {
        const before = watched.calls.length;
        const outcome = await asks(alice, (admin) => admin[what](target));
        told.push({ what, outcome, calls: watched.calls.slice(before) });
      }
    }
    expect(told.slice(5)).toEqual(told.slice(0, 5));
  });

  it("refuses a super-user a session that is no longer live, and describes it until keepEnded is over", async () => {
    const [root, alice] = [await login("root"), await login("alice")];
    const id = idOf(alice);
    await app.sessions.kill(id);
    for (const target of [id, sessionIdOf("never there"), "not an id"]) {
      expect(await asks(root, (admin) => admin.get(target))).toMatchObject(REFUSED);
      expect(await asks(root, (admin) => admin.renew(target))).toMatchObject(REFUSED);
      expect(await asks(root, (admin) => admin.verify(target))).toEqual({ answer: false });
      expect(entries.at(-1)).toMatchObject({ result: "allowed", target: target === "not an id" ? null : target });
    }
    expect(await asks(root, (admin) => admin.describe(id))).toMatchObject({
      answer: { info: { endReason: "killed" }, data: [], attributes: [] },
    });
    expect(await asks(root, (admin) => admin.describe(sessionIdOf("never there")))).toMatchObject(REFUSED);
  });

  it("P6: records every call for the audit, allowed or not, and never a token or a value", async () => {
    const [root, alice] = [await login("root"), await login("alice")];
    const headers = { "x-request-id": "req-7" };
    await asks(root, (admin) => admin.get(idOf(alice)), app, headers);
    await asks(alice, (admin) => admin.get(idOf(root)), app, headers);
    await asks(root, (admin) => admin.describe(idOf(alice)), app, headers);
    await asks(root, (admin) => admin.killByUser("alice", { message: "Bye" }), app, headers);
    const common = { correlationId: "req-7", app: "shop", remoteAddress: "127.0.0.1", at: new Date(now) };
    expect(entries).toEqual([
      {
        ...{ ...common, action: "get", actor: "root", actingFor: "root", target: idOf(alice), targetUser: "alice" },
        ...{ result: "allowed", reason: null },
      },
      {
        ...{ ...common, action: "get", actor: "alice", actingFor: "alice", target: idOf(root), targetUser: "root" },
        ...{ result: "refused", reason: "not a super-user" },
      },
      {
        ...{
          ...common,
          action: "describe",
          actor: "root",
          actingFor: "root",
          target: idOf(alice),
          targetUser: "alice",
        },
        ...{ result: "allowed", reason: null },
      },
      {
        ...{ ...common, action: "killByUser", actor: "root", actingFor: "root", target: null, targetUser: "alice" },
        ...{ result: "allowed", reason: null, ended: 1 },
      },
    ]);
    const token = root.slice(root.indexOf("=") + 1);
    expect(await asks(root, (admin) => admin.get(token))).toMatchObject(REFUSED);
    expect(entries.at(-1)).toMatchObject({ result: "refused", target: idOf(root), targetUser: "root" });
    for (const text of [token, alice.slice(alice.indexOf("=") + 1), "a value that nobody"]) {
      expect(JSON.stringify(entries)).not.toContain(text);
    }
  });
});

describe("SessionAdmin", () => {
  const USE = { isSuperUser: () => true };
  const noted: AuditEntry[] = [];
  let app: RunningApp | undefined;
  let ask: Ask;

  beforeEach(() => void (noted.length = 0));
  afterEach(() => app?.close());

  const asked = async (options: SessionOptions, what: Ask, headers = {}): Promise<unknown> => {
    ask = what;
    app = await startApp((express, sessions) => {
      express.get("/login", async (req, res) => {
        await req.session.login("root");
        res.end();
      });
      express.get("/ask", async (req, res) => {
        res.json({ answer: await ask(sessions.admin(req), req.session.id) });
      });
    }, options);
    const { cookie } = await app.get("/login");
    return JSON.parse((await app.get("/ask", { cookie, ...headers })).body);
  };
  const note = (entry: AuditEntry) => noted.push(entry);

  it.each<[string, (entry: AuditEntry) => unknown]>([
    [
      "throws",
      () => {
        throw new Error("the sink is full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the sink is full"))],
    ["never answers", () => new Promise(() => undefined)],
  ])("answers as ever where the audit %s", async (name, audit) => {
    expect(await asked({ ...USE, audit }, (admin) => admin.killAll())).toEqual({ answer: 1 });
    expect(app?.errors).toEqual(name === "never answers" ? [] : [new Error("the sink is full")]);
  });

  it.each<[string, Ask]>([
    ["isSuperUser", (admin) => admin.killAll()],
    ["isPasswordExpired", (admin, own) => admin.get(own)],
  ])("rejects with what %s throws, does nothing, and tells the audit", async (option, what) => {
    const options = { ...USE, audit: note, [option]: () => Promise.reject(new Error("the directory is down")) };
    expect(await asked(options, what)).toMatchObject({ message: "the directory is down" });
    expect(noted).toMatchObject([{ result: "failed", reason: "an error of the app's" }]);
    await expect(app!.sessions.getSessionInfo()).resolves.toHaveLength(1);
  });

  it("does not take a truthy answer of isSuperUser for true", async () => {
    const isSuperUser = () => ({ role: "user" }) as unknown as boolean;
    expect(await asked({ isSuperUser, audit: note }, (admin) => admin.killAll())).toMatchObject({
      code: "SESSION_CONFIG",
    });
    expect(noted).toMatchObject([{ result: "failed", reason: "SESSION_CONFIG" }]);
  });

  it("has no super-users by default", async () => {
    expect(await asked({ audit: note }, (admin) => admin.killAll())).toMatchObject({ code: "NOT_ALLOWED" });
  });

  it.each([
    [{ "x-request-id": "abc/1:2" }, "abc/1:2"],
    [{ "x-correlation-id": "corr" }, "corr"],
    [{ "x-request-id": "two words" }, undefined],
    [{ "x-request-id": "x".repeat(129) }, undefined],
    [{}, undefined],
  ])("takes %j as the correlation id only where it is well-formed", async (headers, taken) => {
    await asked(
      { ...USE, audit: note },
      async (admin) => (await admin.list()).length + (await admin.killAll()),
      headers,
    );
    const [first, second] = noted.map(({ correlationId }) => correlationId);
    expect(second).toBe(first);
    expect(first).toEqual(taken ?? expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));
  });

  it.each<[string, Ask]>([
    ["a message of 501 characters", (admin) => admin.killAll({ message: "x".repeat(501) })],
    ["a message that is no text", (admin) => admin.killAll({ message: 5 } as unknown as KillAllOptions)],
    ["no options", (admin) => admin.killAll(null as unknown as KillAllOptions)],
    ["a user that is missing", (admin) => admin.killByUser(undefined as unknown as string)],
    ["a filter that is none", (admin) => admin.list({ user: "alice" } as object)],
  ])("refuses %s with SESSION_ARGUMENT, ends nothing, and tells the audit", async (_, what) => {
    expect(await asked({ ...USE, audit: note }, what)).toMatchObject({ code: "SESSION_ARGUMENT" });
    expect(noted).toMatchObject([{ actor: "root", result: "failed", reason: "SESSION_ARGUMENT" }]);
    await expect(app!.sessions.getSessionInfo()).resolves.toHaveLength(1);
  });

  it("records both the real owner and the user acted for, from the context of the calling code", async () => {
    let admin: SessionAdmin | undefined;
    await asked({ ...USE, audit: note }, async (made) => {
      admin = made;
      await made.tally();
      await withUserContext("alice", async () => {
        await made.tally();
        await expect(made.killByUser("")).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
        setUserContext("bob");
        await made.killByUser("alice");
      });
      setUserContext(GUEST_USER);
      return (await made.list()).length;
    });
    await admin!.tally();
    expect(noted.map(({ actor, actingFor, result }) => [actor, actingFor, result])).toEqual([
      ["root", "root", "allowed"],
      ["root", "alice", "allowed"],
      ["root", "alice", "failed"],
      ["root", "bob", "allowed"],
      ["root", GUEST_USER, "allowed"],
      ["root", undefined, "allowed"],
    ]);
  });

  it("checks the rights of the real owner: acting for a super-user gives none, and acting for others takes none away", async () => {
    const isSuperUser = (user: string) => user === "boss";
    const refused = await asked({ isSuperUser, audit: note }, (made) => withUserContext("boss", () => made.killAll()));
    expect(refused).toMatchObject({ code: "NOT_ALLOWED" });
    expect(noted).toMatchObject([{ actor: "root", actingFor: "boss", result: "refused" }]);
    await app!.close();
    const seen = asked({ ...USE, audit: note }, (made) => withUserContext("alice", () => made.list()));
    expect(await seen).toMatchObject({ answer: [{ username: "root" }] });
  });

  it("records whose clientless session a call is made in", async () => {
    await asked({ ...USE, audit: note }, async () => "signed in");
    const { sessions } = app!;
    await sessions.withClientlessSession("root", async (session) => {
      await withUserContext("alice", () => sessions.admin({ session }).tally());
    });
    expect(noted).toMatchObject([{ actor: "root", actingFor: "alice", result: "allowed" }]);
  });

  it("can be made without an Express request", async () => {
    await asked({ ...USE, audit: note }, async () => "signed in");
    const { sessions } = app!;
    const [root] = await sessions.getSessionInfo();
    const context = { session: { id: root!.id }, correlationId: "job-1", app: "cron", remoteAddress: "10.0.0.1" };
    await sessions.admin({ ...context, actingFor: "ops" }).tally();
    expect(noted).toMatchObject([{ correlationId: "job-1", app: "cron", remoteAddress: "10.0.0.1", actingFor: "ops" }]);
    await expect(sessions.admin({ session: null }).tally()).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    const texts = ["app", "remoteAddress", "actingFor"].map((name) => ({ session: null, [name]: ["x"] }));
    for (const wrong of [undefined, null, {}, { session: "id" }, { session: null, correlationId: "a\nb" }, ...texts]) {
      expect(() => sessions.admin(wrong as never)).toThrow(expect.objectContaining({ code: "SESSION_ARGUMENT" }));
    }
  });
});
