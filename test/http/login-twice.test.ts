import type { Express, Request } from "express";
import { Passport, Strategy } from "passport";
import type { RequestSession } from "../../lib/session/session";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { describeOnEveryStore } from "../support/every-store";
import { signal } from "../support/gate";

class QueryStrategy extends Strategy {
  override readonly name = "query";

  override authenticate(req: Request): void {
    this.success({ id: req.query.user });
  }
}

let app: RunningApp;
afterEach(() => app.close());

/** Two ways of signing in that give the session a new token. Each waits until `ready`, with its session loaded. */
function signInRoutes(main: Express, ready: () => Promise<void>): void {
  const passport = new Passport();
  passport.use(new QueryStrategy());
  passport.serializeUser((user: any, done) => done(null, user.id));
  passport.deserializeUser((id: any, done) => done(null, { id }));
  main.use(passport.initialize(), passport.session());
  countingRoutes(main);
  main.post("/passport", (req, res, next) => {
    req.session.get("views");
    ready().then(() => passport.authenticate("query", { successRedirect: "/read" })(req, res, next), next);
  });
  main.post("/regenerate", (req, res, next) => {
    req.session.get("views");
    const signIn = async () => {
      await ready();
      await req.session.regenerate();
      (req.session as RequestSession & { user?: unknown }).user = req.query.user;
      res.redirect("/read");
    };
    signIn().catch(next);
  });
}

const userOf = (session: RequestSession) =>
  (session.get("passport") as { user?: string } | undefined)?.user ?? (session.get("user") as string | undefined);

describe.each(EXPRESSES)("on %s", (_name, express) => {
  describeOnEveryStore("a double click on a sign-in", (store) => {
    async function start(ready: () => Promise<void>): Promise<string> {
      app = await startApp((main) => signInRoutes(main, ready), { express, store: await store.open(), userOf });
      return (await app.get("/count")).cookie!;
    }

    /** The first of two waits for the second. */
    function both(): () => Promise<void> {
      const bothHere = signal();
      let here = 0;
      return () => {
        here += 1;
        if (here === 2) bothHere.give();
        return bothHere.given;
      };
    }

    it("P2: is not like two new tokens for one user's session, of which the second fails", async () => {
      const bothHere = both();
      let isSignedIn = false;
      const guest = await start(() => (isSignedIn ? bothHere() : Promise.resolve()));
      const { cookie } = await app.post("/regenerate?user=alice", { cookie: guest });
      isSignedIn = true;
      const answers = await Promise.all([1, 2].map(() => app.post("/regenerate?user=alice", { cookie: cookie! })));
      expect(answers.map(({ status }) => status).sort()).toEqual([302, 409]);
    });

    it.each(["/passport", "/regenerate"])(
      "P2: signs in with both, where both have loaded the guest's session: %s",
      async (path) => {
        const cookie = await start(both());
        const answers = await Promise.all([1, 2].map(() => app.post(`${path}?user=alice`, { cookie })));
        expect(answers.map(({ status }) => status)).toEqual([302, 302]);
        for (const answer of answers) {
          expect((await app.get("/read", { cookie: answer.cookie })).body).toContain('"owner":"alice"');
        }
        expect((await app.get("/read", { cookie })).body).toContain('"owner":"__guest__"');
      },
    );

    it.each(["/passport", "/regenerate"])(
      "P2: does not go on where the guest's session was killed: %s",
      async (path) => {
        const cookie = await start(() => app.sessions.killAllSessions().then(() => undefined));
        const answer = await app.post(`${path}?user=alice`, { cookie });
        expect([answer.status, JSON.parse(answer.body).code]).toEqual([409, "SESSION_ENDED"]);
        expect(await app.sessions.getSessionInfo()).toEqual([]);
      },
    );
  });
});
