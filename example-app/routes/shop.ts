import { Router } from "express";
import { PageError } from "../error-page";
import { KINDS } from "../tea";
import { findTea, TEAS } from "../teas";

/** The shelf, for everyone; only looking at it starts no session. */
export function shopRoutes(): Router {
  const router = Router();

  router.get("/", (req, res) => {
    const kind = KINDS.find((known) => known === req.query.kind);
    const teas = TEAS.filter((tea) => kind === undefined || tea.kind === kind);
    res.render("home", { teas, kind, kinds: KINDS });
  });

  router.get("/teas/:slug", (req, res) => {
    const tea = findTea(req.params.slug);
    if (!tea) throw new PageError(404, "notFound");
    res.render("tea", { tea });
  });

  return router;
}
