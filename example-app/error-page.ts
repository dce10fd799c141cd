import { SessionError } from "coatcheck";
import type { NextFunction, Request, Response } from "express";
import { localPath } from "./local-path";
import { PageError } from "./page-error";
import type { ErrorPage } from "./page-error";
import { strangerLocals } from "./page-locals";
import { SECURITY_HEADERS } from "./security-headers";

/** Express's last stop: every error becomes a page, and ours are logged. */
export function errorPage(error: unknown, req: Request, res: Response, next: NextFunction): void {
  const { status, page } = describe(error);
  if (status >= 500) console.error(error);
  if (res.headersSent) {
    next(error);
    return;
  }
  // Where the session could not be saved, the answer was dropped together with its headers.
  res.set(SECURITY_HEADERS);
  // Before there is a session, and where the session itself is the trouble, the page must do without one.
  const isKnown = res.locals.isKnown === true && (page === "staleForm" || !(error instanceof SessionError));
  if (!isKnown) Object.assign(res.locals, strangerLocals(req));
  res.status(status).render("error", { page, status, cameFrom: pageBefore(req) });
}

function describe(error: unknown): { status: number; page: ErrorPage } {
  if (error instanceof PageError) return error;
  if (error instanceof SessionError) {
    if (error.code === "SECURITY_KEY") return { status: error.status, page: "staleForm" };
    if (error.code === "SESSION_ENDED") return { status: error.status, page: "ended" };
    return { status: error.status, page: error.status === 503 ? "storeDown" : "error" };
  }
  // Express and its body parser give what the client did wrong a status.
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return { status: status >= 400 && status < 500 ? status : 500, page: "error" };
}

/** The page of this shop that the visitor came from. */
function pageBefore(req: Request): string {
  const referrer = req.get("referer") ?? "";
  if (!URL.canParse(referrer)) return "/";
  const { host, pathname, search } = new URL(referrer);
  return host === req.get("host") ? localPath(pathname + search) : "/";
}
