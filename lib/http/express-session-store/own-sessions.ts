import { CLIENTLESS_SCOPE, isEnded } from "../../record/session-record";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import { isExpired, touchAt } from "../../record/expiry";
import { isSessionId } from "../../record/token";
import { endingFor, sessionEnded } from "../../session/life/session-ended";
import { withMergedOwner } from "../../session/life/session-state";
import { assertChangeFits } from "../../record/record-size";
import type { HttpSettings } from "../http-settings";
import type { SessionObject, StoreWork } from "./express-session-store";
import { LIBRARY_SCOPE } from "./library-sessions";
import { dataDelta, sessionObject } from "./session-object";

/**
 * The sessions of browsers by their ids, as in `req.sessionID`. It starts none: a session without a cookie would be
 * nobody's. An id is no secret, so this is not for a library that takes ids from its clients.
 */
export class OwnSessions implements StoreWork {
  readonly #settings: HttpSettings;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
  }

  async get(id: string): Promise<SessionObject | undefined> {
    const record = await this.#load(id);
    return record && this.#object(record);
  }

  async set(id: string, session: object): Promise<void> {
    const { writer } = this.#settings;
    const record = isSessionId(id) ? await writer.mutate(id, (current) => this.#change(current, session)) : undefined;
    if (record !== undefined && this.#isOwn(record)) return;
    throw sessionEnded("notInStore");
  }

  async destroy(id: string): Promise<void> {
    const record = await this.#load(id);
    if (record !== undefined) await this.#end(record);
  }

  async touch(id: string): Promise<void> {
    const { writer, now, keepEndedMs } = this.#settings;
    if (!isSessionId(id)) return;
    await writer.mutate(id, (record) => (this.#isOwn(record) ? touchAt(record, now(), keepEndedMs) : undefined));
  }

  async *each(): AsyncGenerator<readonly [string, () => SessionObject]> {
    for await (const record of this.#all()) yield [record.id, () => this.#object(record)];
  }

  async clear(): Promise<void> {
    for (let isAny = true; isAny;) {
      isAny = false;
      for await (const record of this.#all()) {
        isAny = true;
        await this.#end(record);
      }
    }
  }

  #change(current: SessionRecord, session: object) {
    const data = this.#isOwn(current) ? dataDelta(session, current) : undefined;
    if (data === undefined) return undefined;
    assertChangeFits(current, current.data, { data }, this.#settings);
    return withMergedOwner(this.#settings, this.#settings.userOf, current, { data });
  }

  async #load(id: string): Promise<SessionRecord | undefined> {
    const record = isSessionId(id) ? await this.#settings.writer.load(id) : undefined;
    return record !== undefined && this.#isOwn(record) ? record : undefined;
  }

  async *#all(): AsyncGenerator<SessionRecord> {
    for await (const record of this.#settings.find({ state: "live", project: this.#settings.project })) {
      if (this.#isOwn(record)) yield record;
    }
  }

  #isOwn(record: SessionRecord | EndedRecord): record is SessionRecord {
    const { now, project } = this.#settings;
    if (isEnded(record) || record.project !== project || isExpired(record, now())) return false;
    return record.scope !== CLIENTLESS_SCOPE && !record.scope.startsWith(LIBRARY_SCOPE);
  }

  async #end(record: SessionRecord): Promise<void> {
    const { writer, onEnded } = this.#settings;
    const ended = await writer.end(record.id, endingFor(this.#settings, "closed", record.owner));
    if (ended) onEnded(record, "closed");
  }

  #object(record: SessionRecord): SessionObject {
    return sessionObject(record, this.#settings.cookie.settings.path);
  }
}
