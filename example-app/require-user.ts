import type { NextFunction, Request, RequestHandler, Response } from "express";
import { PageError } from "./error-page";
import type { Users } from "./users";

/** Lets users in, and sends everyone else to the sign-in page, which leads back here. */
export function requireUser(users: Users): RequestHandler {
  return (req, res, next) => {
    // Private pages must not come back from the browser's cache after the sign-out.
    res.set("Cache-Control", "no-store");
    if (users.find(req.session.owner)) {
      next();
      return;
    }
    const wanted = req.method === "GET" ? req.originalUrl : "/";
    res.redirect(303, `/sign-in?${new URLSearchParams({ next: wanted }).toString()}`);
  };
}

/** Lets admins in; comes after `requireUser`. */
export function requireAdmin(users: Users): RequestHandler {
  return (req: Request, _res: Response, next: NextFunction) => {
    next(users.find(req.session.owner)?.isAdmin ? undefined : new PageError(403, "forbidden"));
  };
}
