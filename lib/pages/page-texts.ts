import type { EndReason } from "../record/session-record";
import type { SessionEnd } from "./pages-host";

/** What a notice in a page says. Plain text, not HTML. */
export interface NoticeTexts {
  /** The heading of the notice. */
  readonly title: string;
  /** For `expiring`, the number of seconds in it is counted down. */
  readonly text: string;
  /** What its button says. */
  readonly button: string;
}

/** What a notice is about: the end of the session, or that it ends soon because of inactivity. */
export type NoticeAbout =
  | (SessionEnd & {
      /** The session is over. */
      readonly event: "ended";
    })
  | {
      /** It will be over soon, unless the user goes on. */
      readonly event: "expiring";
      /** How long is left. */
      readonly seconds: number;
    };

const ENDED_TEXT: ReadonlyMap<EndReason, string> = new Map([
  ["login", "You signed in in another tab or window. Load this page again to go on."],
  ["logout", "You signed out in another tab or window."],
  ["expired", "You were signed out because there was no activity for a long time."],
  [
    "limit",
    "You were signed out here because you signed in on another device, and only so many are allowed at a time.",
  ],
]);

/** The texts in English. */
export function englishTexts(about: NoticeAbout): NoticeTexts {
  if (about.event === "expiring") {
    return {
      title: "Are you still there?",
      text: `Without activity you will be signed out in ${about.seconds} seconds.`,
      button: "Stay signed in",
    };
  }
  const { reason, message } = about;
  return {
    title: "Your session has ended",
    text: message ?? ENDED_TEXT.get(reason) ?? "You were signed out.",
    button: "Load the page again",
  };
}
