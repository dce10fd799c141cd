import type { SessionDelta } from "../../record/session-delta";
import type { Ending, SessionRecord } from "../../record/session-record";

/** What a session needs of a store. Everything rejects with a SessionError, and within the store's time limit. */
export interface RecordWriter {
  load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined>;
  create(record: SessionRecord): Promise<void>;
  /**
   * Writes a change of the session that was loaded as `record`; false where it is over. Near its end, the store is asked
   * to check the expiry in the same step.
   */
  write(record: SessionRecord, delta: SessionDelta): Promise<boolean>;
  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined>;
  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean>;
  end(id: string, ending: Ending): Promise<boolean>;
}
