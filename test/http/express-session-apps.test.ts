import flash from "connect-flash";
import { csrfSync } from "csrf-sync";
import type { Express, Request } from "express";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { watchedStore } from "../support/watched-store";

let app: RunningApp;
afterEach(() => app.close());

describe.each(EXPRESSES)("what was written for express-session, on %s", (_name, express) => {
  async function start(build: (main: Express) => void) {
    const watched = watchedStore();
    app = await startApp(
      (main) => {
        countingRoutes(main);
        build(main);
      },
      { express, store: watched.store },
    );
    return watched.calls;
  }

  describe("connect-flash", () => {
    type FlashRequest = Request & { flash(type?: string, message?: string): unknown };

    it("shows a message once, on the page after the redirect", async () => {
      await start((main) => {
        main.use(flash());
        main.post("/order", (req, res) => {
          (req as FlashRequest).flash("info", "Thank you");
          (req as FlashRequest).flash("info", "Come again");
          res.redirect("/page");
        });
        main.get("/page", (req, res) => res.json((req as FlashRequest).flash("info")));
      });
      const { cookie } = await app.post("/order");
      expect((await app.get("/page", { cookie })).body).toBe('["Thank you","Come again"]');
      expect((await app.get("/page", { cookie })).body).toBe("[]");
    });

    it("P4: writes nothing where there was no message to show", async () => {
      const calls = await start((main) => {
        main.use(flash());
        main.get("/page", (req, res) => res.json((req as FlashRequest).flash("info")));
      });
      const { cookie } = await app.get("/page");
      calls.length = 0;
      await app.get("/page", { cookie });
      expect(calls).toEqual(["load"]);
    });
  });

  describe("csrf-sync", () => {
    it("lets the form with its token pass, and no other", async () => {
      const { generateToken, csrfSynchronisedProtection } = csrfSync();
      await start((main) => {
        main.get("/form", (req, res) => res.send(generateToken(req)));
        main.post("/form", csrfSynchronisedProtection, (_req, res) => res.send("accepted"));
      });
      const { cookie, body: token } = await app.get("/form");
      expect((await app.post("/form", { cookie, "x-csrf-token": token })).body).toBe("accepted");
      expect((await app.post("/form", { cookie, "x-csrf-token": `${token}x` })).status).toBe(403);
      expect((await app.post("/form", { cookie })).status).toBe(403);
      expect((await app.post("/form", { "x-csrf-token": token })).status).toBe(403);
    });
  });

  describe("callbacks", () => {
    const methods = ["save", "reload", "touch", "destroy", "regenerate", "reset", "logout"] as const;

    it.each(methods)("of %s are called with nothing once it is done", async (method) => {
      await start((main) => {
        main.get("/act", (req, res) => {
          void req.session[method]((...args) => res.json(args));
        });
      });
      const { cookie } = await app.get("/count");
      const answer = await app.get("/act", { cookie });
      expect([answer.status, answer.body]).toEqual([200, "[]"]);
    });

    it.each(["save", "reload", "touch"] as const)(
      "of %s are called with the error, and reject nothing",
      async (method) => {
        await start((main) => {
          main.get("/act", async (req, res) => {
            await app.sessions.kill(req.session.id);
            req.session.views = 5;
            await req.session[method]((error) => res.status(409).json((error as { code: string }).code));
          });
        });
        const { cookie } = await app.get("/count");
        const answer = await app.get("/act", { cookie });
        expect([answer.status, answer.body]).toEqual([409, '"SESSION_ENDED"']);
      },
    );

    it("are called once, on failure too", async () => {
      const calls: unknown[] = [];
      await start((main) => {
        main.get("/act", (req, _res, next) => {
          req.session.views = 5;
          void req.session.save((error) => {
            calls.push(error);
            next(new Error("the page failed"));
          });
        });
      });
      expect((await app.get("/act")).status).toBe(500);
      expect(calls).toEqual([undefined]);
    });

    it("of login come with or without options", async () => {
      await start((main) => {
        main.get("/plain-login", (req, res) => req.session.login("alice", () => res.redirect("/read")));
        main.get("/long-login", (req, res) =>
          req.session.login("bob", { remember: true }, () => res.redirect("/read")),
        );
      });
      for (const [path, owner] of [
        ["/plain-login", "alice"],
        ["/long-login", "bob"],
      ]) {
        const { cookie } = await app.get(path!);
        expect((await app.get("/read", { cookie })).body).toContain(`"owner":"${owner}"`);
      }
    });
  });

  describe("idioms", () => {
    it("req.session.views++ counts, from undefined too", async () => {
      await start((main) => {
        main.get("/visit", (req, res) => {
          if (req.session.views) req.session.views++;
          else req.session.views = 1;
          res.json(req.session.views);
        });
      });
      const { cookie } = await app.get("/visit");
      await app.get("/visit", { cookie });
      expect((await app.get("/visit", { cookie })).body).toBe("3");
    });

    it("a nested value that is changed in place is saved", async () => {
      await start((main) => {
        main.get("/basket", (req, res) => {
          const session = req.session as Record<string, any>;
          session.basket ??= { items: [] };
          session.basket.items.push({ tea: "oolong", grams: 50 });
          res.json(session.basket.items.length);
        });
      });
      const { cookie } = await app.get("/basket");
      await app.get("/basket", { cookie });
      expect((await app.get("/basket", { cookie })).body).toBe("3");
    });

    it("a redirect right after save(callback) finds what was saved", async () => {
      await start((main) => {
        main.get("/set", (req, res, next) => {
          req.session.views = 8;
          void req.session.save((error) => (error ? next(error) : res.redirect("/read")));
        });
      });
      const { cookie, headers } = await app.get("/set");
      expect((await app.get(headers.location!, { cookie })).body).toContain('"views":8');
    });

    it("regenerate, set, save and redirect, as express-session's documentation signs in", async () => {
      await start((main) => {
        main.post("/sign-in", (req, res, next) => {
          void req.session.regenerate((error) => {
            if (error) {
              next(error);
              return;
            }
            req.session.views = 0;
            req.session.set("user", "alice");
            void req.session.save((failure) => (failure ? next(failure) : res.redirect("/user")));
          });
        });
        main.get("/user", (req, res) => res.json(req.session.get("user", "nobody")));
      });
      const before = await app.get("/count");
      const { cookie, headers } = await app.post("/sign-in", { cookie: before.cookie });
      expect(cookie).not.toBe(before.cookie);
      expect((await app.get(headers.location!, { cookie })).body).toBe('"alice"');
      expect((await app.get("/user", { cookie: before.cookie })).body).toBe('"nobody"');
    });

    it("destroy(callback) and redirect ends the session and takes the cookie back", async () => {
      await start((main) => {
        main.get("/sign-out", (req, res) => {
          void req.session.destroy(() => res.redirect("/read"));
        });
      });
      const { cookie } = await app.get("/count");
      const answer = await app.get("/sign-out", { cookie });
      expect([answer.status, answer.cookie]).toEqual([302, "sid="]);
      expect((await app.get("/read", { cookie })).body).toContain('"views":0');
    });

    it("req.session.cookie.maxAge can be read, and can't be set in silence", async () => {
      await start((main) => {
        main.get("/cookie", (req, res) => {
          const { maxAge, expires, httpOnly } = req.session.cookie;
          res.json({ maxAge, expires, httpOnly });
        });
        main.get("/longer", (req, res) => {
          (req.session.cookie as { maxAge: number }).maxAge = 60_000;
          res.send("longer");
        });
      });
      expect((await app.get("/cookie")).body).toBe('{"maxAge":null,"expires":null,"httpOnly":true}');
      const refused = await app.get("/longer");
      expect([refused.status, refused.body]).toEqual([500, expect.stringContaining("idleTimeout")]);
    });

    it("the object from before regenerate() can still be read, and copied from", async () => {
      await start((main) => {
        main.get("/renew", async (req, res) => {
          const before = req.session;
          await before.regenerate();
          Object.assign(req.session, before);
          res.json([before.views, req.session.views, before.id === req.session.id, before === req.session]);
        });
      });
      const { cookie } = await app.get("/count");
      const answer = await app.get("/renew", { cookie });
      expect(answer.body).toBe("[1,1,false,false]");
      expect((await app.get("/read", { cookie: answer.cookie })).body).toContain('"views":1');
    });
  });
});
