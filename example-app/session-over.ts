import { SessionError } from "coatcheck";
import type { EndReason, Sessions, TextsOfNotice } from "coatcheck";
import type { ErrorRequestHandler, Request } from "express";
import { pageBefore } from "./error-page";
import type { MessageKey } from "./languages";
import { translate } from "./languages";
import { languageOf } from "./page-locals";

const TEXTS: Partial<Record<EndReason, MessageKey>> = {
  login: "sessionOverLogin",
  logout: "sessionOverLogout",
  killed: "sessionOverKilled",
  expired: "sessionOverExpired",
  limit: "sessionOverLimit",
};

/** What a page tells a visitor whose session is over. */
export interface SessionOver {
  readonly text: MessageKey;
  /** As the admin who ended it wrote it; null for nothing. */
  readonly message: string | null;
}

/** Why the visitor's session is over; undefined where it is not, or where nothing is remembered. */
export async function sessionOver(sessions: Sessions, req: Request): Promise<SessionOver | undefined> {
  const ended = await sessions.endedNotice(req);
  return ended && { text: textOf(ended.reason), message: ended.message };
}

/** What a page says by itself when its session ends, or is about to. */
export const noticeTexts: TextsOfNotice = (about, req) => {
  const language = languageOf(req as Request);
  if (about.event === "expiring") {
    return {
      title: translate(language, "stillThereTitle"),
      text: translate(language, "stillThere", { seconds: about.seconds }),
      button: translate(language, "stay"),
    };
  }
  return {
    title: translate(language, "sessionOverTitle"),
    text: about.message ?? translate(language, textOf(about.reason)),
    button: translate(language, "loadAgain"),
  };
};

/**
 * A form of a page whose session is over has an old security key. It leads to the sign-in page, which says why, and
 * from there back to where it was.
 */
export function formsOfEndedSessions(sessions: Sessions): ErrorRequestHandler {
  return async (error: unknown, req, res, next) => {
    const isOldForm = error instanceof SessionError && error.code === "SECURITY_KEY";
    if (!isOldForm || (await sessions.endedNotice(req)) === undefined) {
      next(error);
      return;
    }
    res.set("Cache-Control", "no-store");
    res.redirect(303, `/sign-in?${new URLSearchParams({ next: pageBefore(req) }).toString()}`);
  };
}

function textOf(reason: EndReason): MessageKey {
  return TEXTS[reason] ?? "sessionOver";
}
