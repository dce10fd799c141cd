import type { Sessions } from "coatcheck";
import { Router } from "express";
import { formField } from "../form-field";
import { localPath } from "../local-path";
import { sessionOver } from "../session-over";
import type { Users } from "../users";

export function signInRoutes(users: Users, sessions: Sessions): Router {
  const router = Router();

  router.get("/sign-in", async (req, res) => {
    const { next } = req.query;
    const wanted = typeof next === "string" ? localPath(next) : undefined;
    if (users.find(req.session.owner)) {
      res.redirect(303, wanted ?? "/");
      return;
    }
    const over = await sessionOver(sessions, req);
    res.render("sign-in", { next: wanted ?? "/", needed: wanted !== undefined, over });
  });

  router.post("/sign-in", async (req, res) => {
    const username = formField(req, "username").trim().toLowerCase();
    const next = localPath(formField(req, "next"));
    const user = await users.verify(username, formField(req, "password"));
    if (!user) {
      res.status(401).render("sign-in", { next, username, failed: true });
      return;
    }
    // A new token for the signed-in visitor: the old one is worthless. (OWASP ASVS 7.2.4)
    await req.session.login(user.username, { remember: formField(req, "remember") === "yes" });
    req.session.flash = { message: "welcome", values: { name: user.name } };
    res.redirect(303, next);
  });

  router.post("/sign-out", async (req, res) => {
    await req.session.logout();
    req.session.flash = { message: "goodbye" };
    res.redirect(303, "/");
  });

  return router;
}
