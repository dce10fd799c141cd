import type { ServerResponse } from "node:http";
import { SessionError } from "../../errors";
import { sessionEnded } from "../../session/life/session-ended";
import type { SecurityKeys } from "../../session/security-keys/security-keys";
import type { SessionHandler } from "../middleware";
import { REQUEST_SESSION } from "../exchange";
import type { RequestWithSession } from "../exchange";
import type { RequestSession } from "../request-session";
import { readRequireSecurityKeyOptions } from "./require-security-key-options";
import type { RequireSecurityKeyOptions, RequireSecurityKeySettings } from "./require-security-key-options";

type GuardedRequest = RequestWithSession & { readonly body?: unknown };
type ResponseWithLocals = ServerResponse & { readonly locals?: Record<string, unknown> };

/**
 * Express middleware that refuses requests that could change something (all but GET, HEAD, OPTIONS and TRACE) without a
 * security key of the session: 403, `SECURITY_KEY`, whatever is wrong with the key. It goes after `sessionMiddleware`,
 * and after the parser of the forms that carry a key. Throws `SESSION_CONFIG` for wrong options. (OWASP CSRF Prevention
 * Cheat Sheet)
 *
 * `res.locals.securityKey()` makes the key for a page: the masked static key, or with `oneTime` a promise of a new
 * one-time key.
 */
export function requireSecurityKey(options: RequireSecurityKeyOptions = {}): SessionHandler {
  const settings = readRequireSecurityKeyOptions(options);
  const { needsKey, field, oneTime, skip } = settings;
  return (req: GuardedRequest, res: ResponseWithLocals, next) => {
    const holder = req[REQUEST_SESSION];
    if (holder === undefined) {
      next(new SessionError("SESSION_CONFIG", "requireSecurityKey must be mounted after sessionMiddleware."));
      return;
    }
    if (res.locals !== undefined) {
      res.locals[field] = () => (oneTime ? keysOf(holder).create() : keysOf(holder).maskedKey());
    }
    if (!needsKey(req.method ?? "") || skip(req)) {
      next();
      return;
    }
    const key = givenKey(req, settings);
    const answer = (isValid: boolean) => next(isValid ? undefined : refused(settings));
    const keys = holder.session?.securityKeys;
    if (keys === undefined || !oneTime) answer(keys?.isStaticKey(key) === true);
    else keys.validate(key).then((payload) => answer(payload !== undefined), next);
  };
}

/**
 * The field, where the body has it as a string, or else the header. A header that came twice is joined by Node, and is
 * no key.
 */
function givenKey(req: GuardedRequest, { field, header }: RequireSecurityKeySettings): unknown {
  const { body } = req;
  if (typeof body === "object" && body !== null && Object.hasOwn(body, field)) {
    const value = (body as Record<string, unknown>)[field];
    if (typeof value === "string") return value;
  }
  return req.headers[header.toLowerCase()];
}

function keysOf(holder: RequestSession): SecurityKeys {
  if (holder.session !== null) return holder.session.securityKeys;
  throw sessionEnded("setToNull");
}

function refused({ field, header, oneTime }: RequireSecurityKeySettings): SessionError {
  const kind = oneTime ? "unused one-time key" : "security key";
  return new SessionError(
    "SECURITY_KEY",
    `This request has no ${kind} of its session; send what res.locals.${field}() makes in the form field ${field} or the header ${header}. A page from before a login or logout must be loaded again.`,
  );
}
