import { SessionError } from "coatcheck";
import type { NextFunction, Request, Response } from "express";
import { localPath } from "./local-path";
import { strangerLocals } from "./page-locals";
import { SECURITY_HEADERS } from "./security-headers";

/** The errors with a page of their own. */
export type ErrorPage = "notFound" | "forbidden" | "crossOrigin" | "staleForm" | "ended" | "storeDown" | "error";

/** Thrown by a route that wants an error page as its answer. */
export class PageError extends Error {
  readonly status: number;
  readonly page: ErrorPage;

  constructor(status: number, page: ErrorPage) {
    super(`This request is answered with the page "${page}".`);
    this.name = "PageError";
    this.status = status;
    this.page = page;
  }
}

/** Express's error handler: every error becomes a page, and those on our side are logged. */
export function errorPage(error: unknown, req: Request, res: Response, next: NextFunction): void {
  const { status, page } = describe(error);
  if (status >= 500) console.error(error);
  if (res.headersSent) {
    next(error);
    return;
  }
  // Where the session could not be saved, the response was dropped, and its headers with it.
  res.set(SECURITY_HEADERS);
  // Before there is a session, and where the session itself failed, the page must do without one.
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
  // Express and its body parser give the client's mistakes a status.
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return { status: status >= 400 && status < 500 ? status : 500, page: "error" };
}

/** The page of this shop that the visitor came from. */
export function pageBefore(req: Request): string {
  const referrer = req.get("referer") ?? "";
  if (!URL.canParse(referrer)) return "/";
  const { host, pathname, search } = new URL(referrer);
  return host === req.get("host") ? localPath(pathname + search) : "/";
}
