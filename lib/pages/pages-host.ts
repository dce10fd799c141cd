import type { IncomingMessage } from "node:http";
import type { EndReason, EndedRecord, SessionRecord } from "../record/session-record";
import type { SessionDelta } from "../record/session-delta";
import type { SessionWatch } from "../session/session-watch";
import type { FindQuery } from "../stores/store";

/** What pages need of the sessions they belong to. */
export interface PagesHost {
  readonly watch: SessionWatch;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Changes a live record; false where it is not live any more. */
  readonly write: (record: SessionRecord, delta: SessionDelta) => Promise<boolean>;
  readonly load: (id: string) => SessionRecord | undefined | Promise<SessionRecord | undefined>;
  readonly find: (query: FindQuery) => AsyncIterable<SessionRecord | EndedRecord>;
  /** How the session of this request's cookie ended; undefined where nothing is remembered. */
  readonly endOfRequest: (req: IncomingMessage) => Promise<SessionEnd | undefined>;
  /** A promise that the app may forget. */
  readonly given: <T>(work: () => Promise<T>) => Promise<T>;
  /** Takes a failure that no request reports. */
  readonly onError: (error: unknown) => void;
}

/** Why a session is over. */
export interface SessionEnd {
  /** What ended it. */
  readonly reason: EndReason;
  /** What the admin who ended it has written; null for nothing. */
  readonly message: string | null;
}
