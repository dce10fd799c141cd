import { json } from "express";
import type { Express, Request } from "express";
import { Passport, Strategy } from "passport";
import { EXPRESSES, startApp } from "../support/app";
import type { AppOptions, RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";

let app: RunningApp;
afterEach(() => app.close());

/** Signs in whoever the query names: what matters here is what passport does with the session. */
class QueryStrategy extends Strategy {
  override readonly name = "query";

  override authenticate(req: Request): void {
    const { user } = req.query;
    if (typeof user === "string") this.success({ id: /^\d+$/.test(user) ? Number(user) : user });
    else this.fail("no user", 401);
  }
}

type Authenticator = InstanceType<typeof Passport>;

function passportWithQuery(): Authenticator {
  const passport = new Passport();
  passport.use(new QueryStrategy());
  passport.serializeUser((user: any, done) => done(null, user.id));
  passport.deserializeUser((id: any, done) => done(null, { id }));
  return passport;
}

/** An app as passport's own documentation builds it. */
function passportApp(main: Express): void {
  const passport = passportWithQuery();
  main.use(passport.initialize(), passport.session());
  countingRoutes(main);
  main.post("/sign-in", passport.authenticate("query", { successRedirect: "/me", failureRedirect: "/denied" }));
  main.post("/sign-in-keeping", passport.authenticate("query", { keepSessionInfo: true }), (_req, res) => {
    res.redirect("/me");
  });
  main.post("/sign-out", (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.redirect("/me")));
  });
  main.post("/sign-out-keeping", (req, res, next) => {
    req.logout({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect("/me")));
  });
  main.get("/me", (req, res) => {
    res.json({
      user: (req.user as { id: unknown } | undefined)?.id ?? null,
      isAuthenticated: req.isAuthenticated(),
      owner: req.session.owner,
      views: req.session.views ?? 0,
    });
  });
}

const GUEST = { user: null, isAuthenticated: false, owner: "__guest__" };

async function me(cookie: string | undefined): Promise<Record<string, unknown>> {
  return JSON.parse((await app.get("/me", cookie === undefined ? {} : { cookie })).body);
}

describe.each(EXPRESSES)("passport on %s", (_name, express) => {
  const start = async (options: AppOptions = {}) => (app = await startApp(passportApp, { express, ...options }));

  it("signs in and is sent on, with a new token and the old session ended", async () => {
    await start();
    const before = (await app.get("/count")).cookie!;
    const answer = await app.post("/sign-in?user=alice", { cookie: before });
    expect([answer.status, answer.headers.location]).toEqual([302, "/me"]);
    expect(answer.cookie).toMatch(/^sid=[\w-]{43}$/);
    expect(answer.cookie).not.toBe(before);
    expect(await me(answer.cookie)).toEqual({ user: "alice", isAuthenticated: true, owner: "alice", views: 0 });
    expect(await me(before)).toEqual({ ...GUEST, views: 0 });
    expect(await app.sessions.getSessionInfo()).toHaveLength(1);
  });

  it("signs in a stranger", async () => {
    await start();
    const { cookie } = await app.post("/sign-in?user=alice");
    expect(await me(cookie)).toMatchObject({ user: "alice", owner: "alice" });
  });

  it("keeps the session's data where it is asked to", async () => {
    await start();
    const { cookie } = await app.get("/count");
    const answer = await app.post("/sign-in-keeping?user=alice", { cookie });
    expect(await me(answer.cookie)).toMatchObject({ user: "alice", owner: "alice", views: 1 });
  });

  it("refuses a sign-in, and changes nothing", async () => {
    await start();
    const { cookie } = await app.get("/count");
    const answer = await app.post("/sign-in", { cookie });
    expect([answer.headers.location, answer.headers["set-cookie"]]).toEqual(["/denied", undefined]);
    expect(await me(cookie)).toEqual({ ...GUEST, views: 1 });
  });

  it("signs out: the cookie is taken back, and the old one opens nothing", async () => {
    await start();
    const { cookie } = await app.post("/sign-in?user=alice");
    const answer = await app.post("/sign-out", { cookie });
    expect([answer.status, answer.cookie]).toEqual([302, "sid="]);
    expect(await me(cookie)).toEqual({ ...GUEST, views: 0 });
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it("signs out and keeps the data, in a guest's session with a new token", async () => {
    await start();
    const { cookie } = await app.post("/sign-in?user=alice");
    await app.get("/count", { cookie });
    const answer = await app.post("/sign-out-keeping", { cookie });
    expect(answer.cookie).toMatch(/^sid=[\w-]{43}$/);
    expect(await me(answer.cookie)).toEqual({ ...GUEST, views: 1 });
    expect(await me(cookie)).toEqual({ ...GUEST, views: 0 });
  });

  it("has users whose sessions can be found and ended without any code in the app", async () => {
    await start();
    const [alice, again, bob] = await Promise.all(
      ["alice", "alice", "bob"].map(async (user) => (await app.post(`/sign-in?user=${user}`)).cookie!),
    );
    expect(await app.sessions.killSessionByUser("alice")).toBe(2);
    for (const cookie of [alice, again]) expect(await me(cookie)).toEqual({ ...GUEST, views: 0 });
    expect(await me(bob)).toMatchObject({ user: "bob", owner: "bob" });
  });

  it("has users whose ids are numbers, and owners that are strings", async () => {
    await start();
    const { cookie } = await app.post("/sign-in?user=42");
    expect(await me(cookie)).toMatchObject({ user: 42, owner: "42" });
    expect(await app.sessions.killSessionByUser("42")).toBe(1);
    expect(await me(cookie)).toMatchObject(GUEST);
  });

  it("leaves a session in which nobody signs in to nobody", async () => {
    await start();
    const { cookie } = await app.get("/count");
    expect(await me(cookie)).toEqual({ ...GUEST, views: 1 });
    expect(await app.sessions.killSessionByUser("alice")).toBe(0);
  });

  it("takes its users from the app's own userOf", async () => {
    await start({ userOf: (session) => `user:${String((session.get("passport") as any)?.user)}` });
    const { cookie } = await app.post("/sign-in?user=alice");
    expect(await me(cookie)).toMatchObject({ user: "alice", owner: "user:alice" });
    expect(await app.sessions.killSessionByUser("user:alice")).toBe(1);
  });
});

/** An app that takes what a form holds for its session's data. */
function trustingApp(main: Express): void {
  main.use(json());
  main.post("/profile", (req, res) => {
    Object.assign(req.session, req.body);
    res.json(req.session.owner);
  });
  main.post("/profile-updated", async (req, res) => {
    for (const [key, value] of Object.entries(req.body as object)) await req.session.update(key, () => value);
    res.json(req.session.owner);
  });
  main.get("/owner", (req, res) => res.json(req.session.owner));
}

describe.each(EXPRESSES)("passport without initialize(), or its compat, on %s", (_name, express) => {
  it.each([
    ["authenticate alone", (_passport: Authenticator) => []],
    ["compat: false", (passport: Authenticator) => [passport.initialize({ compat: false })]],
  ])("signs in all the same: %s", async (_way, before) => {
    app = await startApp(
      (main) => {
        const passport = passportWithQuery();
        main.use(...before(passport), passport.authenticate("session"));
        main.post("/sign-in", passport.authenticate("query"), (req, res) => res.json(req.session.owner));
      },
      { express },
    );
    expect((await app.post("/sign-in?user=alice")).body).toBe('"alice"');
    expect(await app.sessions.killSessionByUser("alice")).toBe(1);
  });
});

describe.each(EXPRESSES)("a key that is called passport, on %s", (_name, express) => {
  const FORM = { "Content-Type": "application/json" };
  const ROOT = JSON.stringify({ passport: { user: "root" } });

  it.each(["/profile", "/profile-updated"])(
    "is data like any other where passport is not at work: %s",
    async (path) => {
      const isSuperUser = (user: string) => user === "root";
      app = await startApp(trustingApp, { express, isSuperUser });
      const answer = await app.post(path, FORM, ROOT);
      expect(answer.body).toBe('"__guest__"');
      const cookie = answer.cookie!;
      expect((await app.get("/owner", { cookie })).body).toBe('"__guest__"');
      expect((await app.post(path, { ...FORM, cookie }, ROOT)).body).toBe('"__guest__"');
      expect(await app.sessions.killSessionByUser("root")).toBe(0);
    },
  );

  it("leaves whom login() has signed in where passport is not at work", async () => {
    app = await startApp(
      (main) => {
        trustingApp(main);
        main.post("/sign-in", async (req, res) => {
          await req.session.login("alice");
          res.end();
        });
      },
      { express },
    );
    const { cookie } = await app.post("/sign-in");
    expect((await app.post("/profile", { ...FORM, cookie: cookie! }, ROOT)).body).toBe('"alice"');
    expect(await app.sessions.killSessionByUser("alice")).toBe(1);
  });
});
