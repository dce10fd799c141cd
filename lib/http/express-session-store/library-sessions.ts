import { SessionError } from "../../errors";
import { assertCallOptions } from "../../options/reader/read-options";
import { dictionary, GUEST_USER, isEnded } from "../../record/session-record";
import type { Encoded, EndedRecord, SessionRecord } from "../../record/session-record";
import { isExpired } from "../../record/expiry";
import type { SessionDelta } from "../../record/session-delta";
import { sessionIdOf } from "../../record/token";
import { endingFor, REPLACED_GRACE_MS, sessionEnded } from "../../session/life/session-ended";
import { newRecord } from "../../session/life/session-life";
import { assertChangeFits, assertRecordFits } from "../../record/record-size";
import { isCreated } from "../../stores/store";
import type { HttpSettings } from "../http-settings";
import type { SessionObject, StoreWork } from "./express-session-store";
import { dataDelta, lifetimeMs, sessionObject } from "./session-object";

/** How the scopes of libraries begin. */
export const LIBRARY_SCOPE = "library:";

const LIBRARY = /^[\w.-]{1,48}$/;

/** The name of the library that is asked for; undefined for none. Throws `SESSION_ARGUMENT`. */
export function libraryOf(options: unknown): string | undefined {
  const wrong =
    "expressSessionStore(options) takes a name, such as { library: \"openid\" }: up to 48 letters, digits, '-', '_' and '.'.";
  assertCallOptions(options, ["library"], "expressSessionStore(options)", wrong);
  const { library } = options;
  if (library === undefined || (typeof library === "string" && LIBRARY.test(library))) return library;
  throw new SessionError("SESSION_ARGUMENT", wrong);
}

/** How often a write is tried of a session that others start or end at the same time. */
const ATTEMPTS = 5;

/**
 * The sessions that a library makes itself, under its own ids: it sets, reads and ends them, and says when they expire.
 * They belong to nobody. The ids are secrets of its clients, so only their hash is stored; no cookie of ours has that
 * hash, and no id of ours opens one of these sessions.
 */
export class LibrarySessions implements StoreWork {
  readonly #settings: HttpSettings;
  readonly #scope: string;

  constructor(settings: HttpSettings, library: string) {
    this.#settings = settings;
    this.#scope = LIBRARY_SCOPE + library;
  }

  async get(id: string): Promise<SessionObject | undefined> {
    const record = await this.#settings.writer.load(this.#idOf(id));
    return record !== undefined && this.#isOwn(record) ? this.#object(record) : undefined;
  }

  async set(id: string, session: object): Promise<void> {
    const { writer, now } = this.#settings;
    const recordId = this.#idOf(id);
    if (lifetimeMs(session, now()) === 0) return this.destroy(id);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const after = await writer.mutate(recordId, (current) => this.#change(current, session));
      if (after !== undefined || (await this.#isCreated(recordId, session))) return;
    }
    throw new SessionError(
      "SESSION_CONFLICT",
      "A library's session kept changing during every attempt to store it. Try it again.",
    );
  }

  /** Nothing of it is kept: the library may set the same id again. */
  async destroy(id: string): Promise<void> {
    const { writer, now, onEnded } = this.#settings;
    const recordId = this.#idOf(id);
    const endedAt = now();
    const ended = await writer.end(recordId, { endedAt, reason: "closed", endedBy: null, purgeAt: endedAt });
    if (ended) onEnded({ id: recordId, owner: GUEST_USER }, "closed");
  }

  async touch(id: string, session: object): Promise<void> {
    await this.#settings.writer.mutate(this.#idOf(id), (current) => this.#times(current, session));
  }

  async *each(): AsyncGenerator<readonly [string, () => SessionObject]> {
    for await (const record of this.#all()) yield [record.id, () => this.#object(record)];
  }

  async clear(): Promise<void> {
    const { writer, onEnded } = this.#settings;
    for (let isAny = true; isAny;) {
      isAny = false;
      for await (const record of this.#all()) {
        isAny = true;
        const ended = await writer.end(record.id, endingFor(this.#settings, "closed", null));
        if (ended) onEnded(record, "closed");
      }
    }
  }

  #change(current: SessionRecord, session: object): SessionDelta {
    const data = dataDelta(session, current);
    const change = { ...this.#times(current, session), ...(data === undefined ? {} : { data }) };
    assertChangeFits(current, current.data, change, this.#settings);
    return change;
  }

  /** Unlike that of our sessions, its end may move to an earlier time: the library says when it is. */
  #times({ idleMs: known }: SessionRecord, session: object) {
    const { now, keepEndedMs } = this.#settings;
    const lastSeenAt = now();
    const idleMs = lifetimeMs(session, lastSeenAt) ?? known;
    const expiresAt = lastSeenAt + idleMs;
    return { lastSeenAt, idleMs, expiresAt, purgeAt: expiresAt + keepEndedMs };
  }

  /** False where there is a session by now, or an expired one was in the way. */
  async #isCreated(id: string, session: object): Promise<boolean> {
    const { writer, now, maxBytes, onCreated } = this.#settings;
    await this.#assertNotKilled(id);
    const record = this.#newRecord(id, session);
    assertRecordFits(record, maxBytes);
    if (await isCreated(writer, record)) {
      onCreated(record);
      return true;
    }
    const inTheWay = await writer.load(id);
    if (inTheWay !== undefined && isExpired(inTheWay, now()))
      await writer.end(id, endingFor(this.#settings, "expired", null));
    return false;
  }

  #newRecord(id: string, session: object): SessionRecord {
    // All of it is new, also where the session was read under another id.
    const delta = dataDelta(session, { id: "", data: dictionary() });
    const data = Object.assign(dictionary<Encoded>(), delta?.set);
    const origin = { scope: this.#scope, remoteAddress: "", userAgent: "" };
    const record = newRecord(this.#settings, { id, owner: GUEST_USER, data, origin, remember: false });
    return { ...record, endsAt: Infinity, ...this.#times(record, session) };
  }

  /** A request that was under way while its session was killed must not bring it back. */
  async #assertNotKilled(id: string): Promise<void> {
    const { find, now } = this.#settings;
    for await (const record of find({ state: "ended", id })) {
      if (!isEnded(record) || record.reason === "expired" || now() - record.endedAt > REPLACED_GRACE_MS) continue;
      throw sessionEnded("killed");
    }
  }

  async *#all(): AsyncGenerator<SessionRecord> {
    const { find, project } = this.#settings;
    for await (const record of find({ state: "live", project, scope: this.#scope }))
      if (this.#isOwn(record)) yield record;
  }

  #isOwn(record: SessionRecord | EndedRecord): record is SessionRecord {
    const { now, project } = this.#settings;
    return !isEnded(record) && record.project === project && record.scope === this.#scope && !isExpired(record, now());
  }

  #idOf(id: string): string {
    return sessionIdOf(`${this.#scope}\n${this.#settings.project}\n${id}`);
  }

  #object(record: SessionRecord): SessionObject {
    return sessionObject(record, this.#settings.cookie.settings.path);
  }
}
