import type { OwnRecord } from "../life/own-record";

/** What security keys need of their session. */
export interface KeyedSession extends OwnRecord {
  /** A key for this use, derived from the session's token; undefined where it has no token yet, or none that is known here. */
  keyFor(use: string): string | undefined;
  /**
   * A key goes into what is being answered: no shared cache may keep that, and a session of which nothing is stored yet is
   * created with it. Throws `SESSION_HEADERS_SENT`, `SESSION_INSECURE` or `SESSION_ENDED` where it can't be any more.
   */
  keyShown(): void;
}
