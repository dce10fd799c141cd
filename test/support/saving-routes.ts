import { setTimeout as sleep } from "node:timers/promises";
import type { Express } from "express";

/** Handlers that save in all ways, for tests in which the store fails. `reached` notes the paths of those that ran. */
export function savingRoutes(reached: string[]): (app: Express) => void {
  return (app) => {
    app.use((req, res, next) => {
      reached.push(req.path);
      res.set("X-Handler", "yes");
      next();
    });
    app.get("/read", (req, res) => res.json({ tea: req.session.get("tea"), owner: req.session.owner }));
    app.get("/set", (req, res) => {
      req.session.set("tea", req.query.tea ?? "green");
      res.send("set");
    });
    app.get("/update", async (req, res) => {
      await req.session.update("n", (n: unknown) => Number(n ?? 0) + 1);
      res.send("updated");
    });
    app.get("/login", async (req, res) => {
      await req.session.login(String(req.query.user ?? "alice"));
      res.send("welcome");
    });
    app.get("/logout", async (req, res) => {
      await req.session.logout();
      res.send("bye");
    });
    app.get("/regenerate", async (req, res) => {
      await req.session.regenerate();
      req.session.set("tea", "new");
      res.send("new");
    });
    app.get("/destroy", async (req, res) => {
      await req.session.destroy();
      res.send("gone");
    });
    app.get("/null", (req, res) => {
      (req as { session: unknown }).session = null;
      res.send("gone");
    });
    app.get("/slow-null", async (req, res) => {
      (req as { session: unknown }).session = null;
      await sleep(20);
      res.send("gone");
    });
    app.get("/awaited", async (req, res) => {
      req.session.set("tea", "awaited");
      await req.session.save();
      res.send("saved");
    });
    app.get("/caught", async (req, res) => {
      req.session.set("tea", "caught");
      await req.session.save().catch(() => undefined);
      res.send("all is well");
    });
    app.get("/twice", async (req, res) => {
      req.session.set("tea", "twice");
      await req.session.save().catch(() => undefined);
      await req.session.save();
      res.send("all is well");
    });
    app.get("/callback", (req, res) => {
      req.session.set("tea", "callback");
      void req.session.save((error) => res.status(500).json({ code: (error as { code: string }).code }));
    });
    app.get("/stream", (req, res) => {
      req.session.set("tea", "streamed");
      res.type("text").write("first");
      setTimeout(() => res.end("last"), 10);
    });
    app.get("/late", (req, res) => {
      res.write("first");
      req.session.set("tea", "late");
      res.end("last");
    });
  };
}
