import type { NextFunction, Request, Response } from "express";
import { PageError } from "./error-page";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses forms that another site sends with a visitor's cookie. Browsers say where a request comes from, in
 * `Sec-Fetch-Site` or `Origin`; a client that sends neither is not a browser, and has no visitor's cookie.
 * (OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata"; SameSite=Lax on the cookie is the other half)
 */
export function sameOrigin(req: Request, _res: Response, next: NextFunction): void {
  if (SAFE_METHODS.has(req.method) || isFromHere(req)) next();
  else next(new PageError(403, "crossOrigin"));
}

function isFromHere(req: Request): boolean {
  const site = req.get("sec-fetch-site");
  if (site !== undefined) return site === "same-origin" || site === "none";
  const origin = req.get("origin");
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === req.get("host");
}
