import type { SessionDelta } from "../../record/session-delta";
import type { SessionRecord } from "../../record/session-record";

/** The stored record of a session, for what is kept in it beside the data. */
export interface OwnRecord {
  /** What the app is given of a promise: one that it may forget. */
  given<T>(promise: Promise<T>): Promise<T>;
  /** As it was known last; undefined where nothing is stored yet. */
  readonly record: SessionRecord | undefined;
  /**
   * The same, for those who read it: undefined also where the session is over. The store is asked only where its end, as it was known
   * last, has passed meanwhile: a touch beside the request may have moved it.
   */
  current(): SessionRecord | undefined | Promise<SessionRecord | undefined>;
  /**
   * Changes it atomically, and resolves to the record as it is then. `decide` answers what to change, undefined for nothing; it may be called
   * again and must have no other effect; what it throws is rejected with. A session of which nothing is stored yet is
   * created with the change and with its data, in one step. Rejects with `SESSION_ENDED` where the session is over.
   */
  change(decide: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord>;
}
