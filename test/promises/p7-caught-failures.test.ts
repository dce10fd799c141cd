import type { Request } from "express";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import type { Operation } from "../support/faulty-store";

/** What an app may ask of a session, and the store operation that it takes where the session is stored already. */
const ASKED: Record<string, readonly [Operation, (session: Request["session"]) => Promise<unknown>]> = {
  "update(key, fn)": ["mutate", (session) => session.update("n", () => 1)],
  "attributes.create(name, value)": ["mutate", (session) => session.attributes.create("card", "4111")],
  "securityKeys.create()": ["mutate", (session) => session.securityKeys.create()],
  "login(user)": ["replace", (session) => session.login("alice")],
  "logout()": ["replace", (session) => session.logout()],
  "reset()": ["replace", (session) => session.reset()],
  "destroy()": ["end", (session) => session.destroy()],
  "save()": [
    "update",
    (session) => {
      session.set("tea", "green");
      return session.save();
    },
  ],
};

describeOnEveryStore("a failure that the app catches", (every) => {
  describe.each(EXPRESSES)("on %s", (_name, express) => {
    let store: FaultyStore;
    let app: RunningApp;
    let headers: { cookie: string };

    beforeAll(async () => {
      store = new FaultyStore(await every.open());
      app = await startApp(
        (main) => {
          main.get("/start", (req, res) => {
            req.session.set("tea", "black");
            res.send("started");
          });
          main.get("/ask", async (req, res) => {
            const [, ask] = ASKED[String(req.query.verb)]!;
            await ask(req.session).catch(() => undefined);
            res.send("all is well");
          });
        },
        { store, express },
      );
      headers = { cookie: (await app.get("/start")).cookie! };
    });

    afterEach(() => store.recover());
    afterAll(() => app.close());

    it.each(Object.entries(ASKED))(
      "P7: %s gets 503 and no cookie, though the handler sends a response",
      async (verb, [operation]) => {
        store.fail(operation, "rejects");
        const answer = await app.get(`/ask?verb=${encodeURIComponent(verb)}`, headers);
        expect(answer).toMatchObject({ status: 503, cookie: undefined });
        expect(JSON.parse(answer.body)).toMatchObject({ code: "SESSION_STORE" });
        expect(answer.body).not.toContain("all is well");
      },
    );
  });
});
