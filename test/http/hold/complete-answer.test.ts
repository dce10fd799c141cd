import type { Request, Response } from "express";
import type { SessionStore } from "../../../lib/stores/store";
import { EXPRESSES, startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { describeOnEveryStore } from "../../support/every-store";

const after: Record<string, (req: Request, res: Response) => void> = {
  "a throw": (_req, res) => {
    res.json({ ok: 1 });
    throw new Error("broken");
  },
  "another answer": (_req, res) => {
    res.end('{"ok":1}');
    res.send("again");
  },
  "res.destroy()": (_req, res) => void res.json({ ok: 1 }).destroy(),
  "the socket's destroy()": (req, res) => {
    res.json({ ok: 1 });
    req.socket.destroy();
  },
};

describeOnEveryStore("a complete answer that something follows", (every) => {
  let store: SessionStore;
  let app: RunningApp;
  beforeEach(async () => (store = await every.open()));
  afterEach(() => app.close());

  describe.each(EXPRESSES)("on %s", (_name, express) => {
    it.each(
      Object.entries(after).flatMap(([what, answer]) => [
        [what, answer, false] as const,
        [`${what}, over TLS`, answer, true] as const,
      ]),
    )("P1: reaches the client with what it stored: %s", async (_what, answer, overTls) => {
      app = await startApp(
        (main) => {
          countingRoutes(main);
          main.get("/act", (req, res) => {
            req.session.views = 7;
            answer(req, res);
          });
        },
        { express, store, overTls },
      );
      const { status, body, cookie } = await app.get("/act");
      expect([status, body]).toEqual([200, '{"ok":1}']);
      expect((await app.get("/read", { cookie })).body).toContain('"views":7');
      expect(app.errors).toEqual([]);
    });
  });
});
