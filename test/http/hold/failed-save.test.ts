import type { Request } from "express";
import { EXPRESSES, startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { watchedStore } from "../../support/watched-store";

let app: RunningApp;
afterEach(() => app.close());

let broken = false;

/** An app on a store whose writes fail while `broken`, with a route that does what the test says. */
async function start(express: (typeof EXPRESSES)[0][1], act: (req: Request) => unknown, status = 200): Promise<string> {
  broken = false;
  const { store } = watchedStore((method) =>
    broken && method !== "load" && method !== "close" ? Promise.reject(new Error("disk full")) : undefined,
  );
  app = await startApp(
    (main) => {
      countingRoutes(main);
      main.get("/act", async (req, res, next) => {
        try {
          await act(req);
          res.status(status).send("done");
        } catch (error) {
          next(error);
        }
      });
    },
    { express, store },
  );
  return (await app.get("/count")).cookie!;
}

const failing: [string, string, (req: Request) => Promise<unknown>][] = [
  ["save()", "SESSION_STORE", (req) => ((req.session.views = 2), req.session.save())],
  ["login()", "SESSION_STORE", (req) => req.session.login("alice")],
  ["logout()", "SESSION_STORE", (req) => req.session.logout()],
  ["reset()", "SESSION_STORE", (req) => req.session.reset()],
  ["destroy()", "SESSION_STORE", (req) => req.session.destroy()],
  ["touch()", "SESSION_STORE", (req) => req.session.touch()],
  ["update()", "SESSION_STORE", (req) => req.session.update("views", () => 2)],
  ["save() of what can't be stored", "SESSION_VALUE", (req) => req.session.set("f", () => 1).save()],
];

describe.each(EXPRESSES)("what can't be stored, on %s", (_name, express) => {
  it.each(failing)(
    "P7: of %s is told by the app's own error page where the app awaits it",
    async (_what, code, act) => {
      const cookie = await start(express, act);
      broken = true;
      const answer = await app.get("/act", { cookie });
      expect(answer.status).toBe(code === "SESSION_STORE" ? 503 : 500);
      expect(JSON.parse(answer.body).code).toBe(code);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    },
  );

  it.each(failing.filter(([what]) => !what.startsWith("touch")))(
    "P7: of %s is told all the same where nobody awaits it, and is no unhandled rejection",
    async (_what, code, act) => {
      const cookie = await start(express, (req) => void act(req));
      broken = true;
      const answer = await app.get("/act", { cookie });
      expect(JSON.parse(answer.body).code).toBe(code);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    },
  );

  it.each([200, 302])("P7: of a change can't be turned into a success by catching it: %s", async (status) => {
    const cookie = await start(
      express,
      (req) => {
        req.session.views = 2;
        return req.session.save().catch(() => undefined);
      },
      status,
    );
    broken = true;
    const answer = await app.get("/act", { cookie });
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([503, "SESSION_STORE"]);
  });

  it("P7: of a change is told also where the answer is the app's own error, of which the app was not told", async () => {
    const cookie = await start(express, (req) => void (req.session.views = 2), 422);
    broken = true;
    expect((await app.get("/act", { cookie })).status).toBe(503);
  });

  it("does not hold up what the app answers to a login that it caught, and keeps its other changes", async () => {
    const cookie = await start(
      express,
      async (req) => {
        await req.session.login("").catch(() => undefined);
        req.session.views = 9;
      },
      422,
    );
    expect((await app.get("/act", { cookie })).status).toBe(422);
    expect((await app.get("/read", { cookie })).body).toContain('"views":9');
  });

  it("P7: is over when the store works again, without a restart", async () => {
    const cookie = await start(express, (req) => void (req.session.views = 2));
    broken = true;
    expect((await app.get("/act", { cookie })).status).toBe(503);
    broken = false;
    expect((await app.get("/act", { cookie })).status).toBe(200);
    expect((await app.get("/read", { cookie })).body).toContain('"views":2');
  });
});
