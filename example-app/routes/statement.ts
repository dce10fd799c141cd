import { Router } from "express";
import { requireUser } from "../require-user";
import type { StatementDesk } from "../statement-desk";
import type { Users } from "../users";

/** How often the page reloads to see whether the statement is ready, in seconds. It needs no script. */
const REFRESH_SECONDS = 1;

/** The statement of a user's orders this month, made in the background. */
export function statementRoutes(users: Users, desk: StatementDesk): Router {
  const router = Router();
  router.use("/statement", requireUser(users));

  router.get("/statement", (req, res) => {
    const state = desk.stateOf(req.session.owner);
    res.render("statement", { state, now: new Date(), refresh: state.is === "underWay" ? REFRESH_SECONDS : undefined });
  });

  router.post("/statement", (req, res) => {
    desk.begin(req.session.owner);
    res.redirect(303, "/statement");
  });

  return router;
}
