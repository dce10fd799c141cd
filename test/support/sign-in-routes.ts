import type { Express } from "express";

/** `/login/:user` signs in, and stores a value that nobody else may see; `/guest` stores one for a guest. */
export function addSignIn(app: Express): void {
  app.get("/login/:user", async (req, res) => {
    await req.session.login(req.params.user);
    req.session.set("secret", "a value that nobody else sees");
    res.end();
  });
  app.get("/guest", (req, res) => {
    req.session.set("tea", "black");
    res.end();
  });
}
