import { aFunction } from "../options/reader/option-kinds";
import { readOptions, refuse } from "../options/reader/read-options";
import type { Option, OptionTable } from "../options/reader/read-options";
import type { PageRequest } from "./page-request";
import type { PagesHandler } from "./pages-handler";
import type { NoticeAbout, NoticeTexts } from "./page-texts";
import type { SessionPages } from "./session-pages";

/** Gives a notice its words, in the language of the user who made this request. */
export type TextsOfNotice = (about: NoticeAbout, req: PageRequest) => NoticeTexts;

/** The sessions whose pages are served: a `Sessions`. */
export interface PagedSessions {
  /** The open pages of these sessions. */
  readonly pages: SessionPages;
  /** @internal */
  pagesHandler(texts: TextsOfNotice | undefined): PagesHandler;
}

/** The options of `sessionPages`; they are checked once. */
export interface SessionPagesOptions {
  /** The sessions whose pages are served. Default: those that the plain functions act on. */
  readonly sessions?: PagedSessions;
  /** What the notices say. Default: English texts, and the message of the admin where there is one. */
  readonly texts?: TextsOfNotice;
}

const ENTRIES = {
  sessions: { read: sessionsOption },
  texts: { read: aFunction<TextsOfNotice | undefined>("(about, req)", undefined) },
} as const satisfies Record<keyof SessionPagesOptions, Option>;

const PAGES_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "sessionPages",
  example: "{ texts: (about) => ({ title, text, button }) }",
  options: ENTRIES,
  foreign: {
    path: 'write app.use("/session", sessionPages())',
    killCheckInterval: "write it in the options of sessionMiddleware",
  },
};

/** Reads and checks the options: `SESSION_CONFIG` tells all that is wrong. */
export function readSessionPagesOptions(given: SessionPagesOptions) {
  return readOptions(PAGES_OPTIONS, given);
}

function sessionsOption(given: unknown, option: string): PagedSessions | undefined {
  if (given === undefined) return undefined;
  if (typeof given === "object" && given !== null && "pagesHandler" in given) return given as PagedSessions;
  return refuse(option, given, "give the .sessions of what sessionMiddleware() returned, or new Sessions()");
}
