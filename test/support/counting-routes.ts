import type { Express } from "express";

declare module "coatcheck" {
  interface SessionData {
    views: number;
  }
}

/**
 * Routes that most tests of the middleware need: one without a session, one that reads, one that writes, a login and a
 * logout.
 */
export function countingRoutes(app: Express): void {
  app.get("/plain", (_req, res) => res.send("no session here"));
  app.get("/read", (req, res) => res.json({ views: req.session.views ?? 0, owner: req.session.owner }));
  app.all("/count", (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.json({ views: req.session.views });
  });
  app.get("/login", (req, res, next) => {
    req.session.login("alice", { remember: req.query.remember === "yes" }).then(() => res.send("welcome"), next);
  });
  app.get("/logout", (req, res, next) => {
    req.session.logout().then(() => res.send("bye"), next);
  });
  app.get("/reset", (req, res, next) => {
    req.session.reset().then(() => res.send("new"), next);
  });
  app.get("/regenerate", (req, res, next) => {
    req.session.regenerate().then(() => res.send("new"), next);
  });
}
