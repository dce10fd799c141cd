import { SessionError } from "../../errors";
import { forgettable } from "../../forgettable";
import { assertCallOptions } from "../../options/reader/read-options";
import { dictionary, GUEST_USER } from "../../record/session-record";
import type { Encoded, EndReason, SessionRecord } from "../../record/session-record";
import { isExpired, touchAt } from "../../record/expiry";
import { applyDelta, withCounters } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import { encodeValue } from "../../record/value/value-encoding";
import { assertUpdate, changedValue } from "../values/changed-value";
import { cookieView } from "../cookie-view";
import type { CookieView } from "../cookie-view";
import { decodedValue } from "../values/decoded-value";
import { DetachedState } from "./detached-state";
import { endingFor } from "./ending-for";
import { withMergedOwner } from "./merged-owner";
import { newRecord } from "./new-record";
import type { KeyedSession } from "../security-keys/security-keys";
import { SecurityKeys } from "../security-keys/security-keys";
import { Session } from "../session";
import { SessionAttributes } from "../attributes/session-attributes";
import { sessionMeta } from "../session-meta";
import type { SessionMeta } from "../session-meta";
import { ownerOf, userId } from "../session-owner";
import type { SessionPlace, SessionPolicy } from "./session-policy";
import { STATE } from "../session-proxy";
import type { LoginOptions, SessionState } from "./session-state";
import { assertChangeFits, assertRecordFits } from "./size-limit";
import { SessionValues } from "../values/session-values";
import type { ValuesDelta } from "../values/session-values";
import { Turns } from "./turns";

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** A session that is, or can be, in the store. What is done with it happens one after the other. */
export class StoredSession implements SessionState, KeyedSession {
  readonly #policy: SessionPolicy;
  readonly #place: SessionPlace;
  #record: SessionRecord | undefined;
  /** The record that `regenerate` left behind; it is ended in the step that stores the new one. */
  #predecessor: SessionRecord | undefined;
  #values: SessionValues;
  #session: Session;
  #attributes: SessionAttributes | undefined;
  #securityKeys: SecurityKeys | undefined;
  #newId: string | undefined;
  #marked = false;
  /** Why nothing can be saved any more: the session is over, or the store failed and nobody knows what it kept. */
  #over: SessionError | undefined;
  readonly #turns = new Turns();

  constructor(policy: SessionPolicy, place: SessionPlace, record: SessionRecord | undefined) {
    this.#policy = policy;
    this.#place = place;
    this.#record = record;
    this.#values = new SessionValues(record?.data);
    this.#session = new Session(this);
  }

  get session(): Session {
    return this.#session;
  }

  get values(): SessionValues {
    return this.#values;
  }

  get id(): string {
    return this.#record?.id ?? (this.#newId ??= this.#place.newId());
  }

  get owner(): string {
    return ownerOf(this.#policy, this.#session, this.#record?.owner ?? GUEST_USER, this.#usesPassport);
  }

  get #usesPassport(): boolean {
    return this.#place.usesPassport === true;
  }

  get isNew(): boolean {
    return this.#record === undefined;
  }

  get changed(): boolean {
    return this.#marked || this.#predecessor !== undefined || this.#values.delta() !== undefined;
  }

  get meta(): SessionMeta {
    return sessionMeta(this.#record ?? this.#newRecord(GUEST_USER, dictionary(), false));
  }

  get cookie(): CookieView {
    const record = this.#record ?? this.#newRecord(GUEST_USER, dictionary(), false);
    return cookieView(this.#place.forgottenAt(record), record.createdAt, this.#policy.now());
  }

  get attributes(): SessionAttributes {
    return (this.#attributes ??= new SessionAttributes(this, this.#policy));
  }

  get securityKeys(): SecurityKeys {
    return (this.#securityKeys ??= new SecurityKeys(this, this.#policy.now));
  }

  keyFor(use: string): string | undefined {
    const id = this.#record?.id ?? this.#newId;
    return id === undefined ? undefined : this.#place.keyFor?.(id, use);
  }

  keyShown(): void {
    this.#place.keyShown?.();
    if (this.#record !== undefined) return;
    if (this.#over !== undefined) throw this.#over;
    this.#place.assertMayStart();
    this.#newId ??= this.#place.newId();
    this.#marked = true;
  }

  given<T>(promise: Promise<T>): Promise<T> {
    return forgettable(promise, (failure) => this.#place.forgotten(failure));
  }

  assertWritable(): void {
    if (this.#over === undefined) this.#place.changing(this.#record !== undefined);
  }

  markChanged(): void {
    this.#marked = true;
  }

  save(): Promise<void> {
    return this.#turns.next(async () => this.saveNow());
  }

  /**
   * What the end of a request asks for: undefined where there is nothing to store and nothing to wait for. Rejects also where
   * something that the app did not wait for has failed.
   */
  settle(): Promise<void> | undefined {
    const { underWay } = this.#turns;
    const saving = underWay === undefined ? this.saveNow() : underWay.then(() => this.saveNow());
    return saving === undefined ? undefined : this.#turns.take(saving);
  }

  /** How often something was done with it that may have saved. */
  get turnsTaken(): number {
    return this.#turns.count;
  }

  /** What failed last, and was told to whoever asked for it. */
  get failure(): unknown {
    return this.#turns.failure;
  }

  reload(): Promise<void> {
    return this.#turns.next(async () => {
      const old = this.#record;
      if (old === undefined) {
        this.#values.restart();
        return;
      }
      const record = await this.#policy.writer.load(old.id);
      if (record === undefined || isExpired(record, this.#policy.now())) throw this.#ended();
      this.#record = record;
      this.#values.restart(record.data);
      this.#marked = false;
      this.#over = undefined;
    });
  }

  touch(): Promise<void> {
    return this.#turns.next(async () => {
      const record = this.#record;
      if (record === undefined) return;
      const touch = touchAt(record, this.#policy.now(), this.#policy.keepEndedMs);
      const counted = withCounters(touch, this.#place.takeCounters?.(record));
      // A touch that failed has kept nothing from being saved.
      if (!(await this.#policy.writer.write(record, counted))) throw this.#ended();
      this.#record = { ...record, ...touch };
    });
  }

  update(key: string, change: (value: unknown) => unknown): Promise<unknown> {
    return this.#turns.next(async () => {
      assertUpdate(key, change);
      this.assertWritable();
      const record = this.#record;
      if (record === undefined) {
        this.#values.set(key, changedValue(key, change, this.#values.get(key)));
        return this.#values.get(key);
      }
      if (this.#over !== undefined) throw this.#over;
      // What this request has set itself is the later save; otherwise the stored value counts.
      const own = this.#values.isChanged(key) ? { encoded: this.#values.encoded(key) } : undefined;
      const since = this.#values.changes;
      let encoded: Encoded = "";
      const after = await this.#stored(
        this.#policy.writer.mutate(record.id, (current) => {
          const before = own === undefined ? current.data[key] : own.encoded;
          encoded = encodeValue(
            key,
            changedValue(key, change, before === undefined ? undefined : decodedValue(key, before)),
          );
          return this.#merged(current, { data: { set: Object.assign(dictionary<Encoded>(), { [key]: encoded }) } });
        }),
      );
      if (after === undefined) throw this.#ended();
      this.#values.adopt(key, encoded, since);
      await this.#changed(record, after);
      return this.#values.get(key);
    });
  }

  get record(): SessionRecord | undefined {
    return this.#record;
  }

  current(): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    if (this.#over?.code === "SESSION_ENDED") return undefined;
    const record = this.#record;
    if (record === undefined || !isExpired(record, this.#policy.now())) return record;
    return this.#turns.next(async () => {
      if (this.#record !== record) return this.#record;
      const stored = await this.#policy.writer.load(record.id);
      if (stored === undefined || isExpired(stored, this.#policy.now())) return undefined;
      return (this.#record = stored);
    });
  }

  change(decide: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord> {
    return this.#turns.next(async () => {
      if (this.#over !== undefined) throw this.#over;
      const record = this.#record;
      if (record === undefined) return this.#createWith(decide);
      const after = await this.#stored(
        this.#policy.writer.mutate(record.id, (current) => {
          const change = decide(current);
          return change === undefined ? undefined : this.#merged(current, change);
        }),
      );
      if (after === undefined) throw this.#ended();
      await this.#changed(record, after);
      return after;
    });
  }

  login(user: string | number, options: LoginOptions): Promise<void> {
    return this.#turns.next(async () =>
      this.#startOver("login", userId(user, "login(user)"), this.#policy.keepOnLogin, rememberOf(options)),
    );
  }

  logout(): Promise<void> {
    return this.#turns.next(() => this.#startOver("logout", GUEST_USER, this.#policy.keepOnLogout, false));
  }

  reset(): Promise<void> {
    return this.#turns.next(() => this.#startOver("reset", GUEST_USER, [], false));
  }

  destroy(): Promise<void> {
    return this.#turns.next(async () => {
      const old = this.#record ?? this.#predecessor;
      if (old !== undefined) await this.#end(old);
      this.#forget();
      this.#over = new SessionError(
        "SESSION_ENDED",
        "The session was destroyed in this request; to go on with an empty one, call reset() instead of destroy().",
      );
    });
  }

  regenerate(): Promise<void> {
    return this.#turns.next(async () => {
      if (this.#over !== undefined) throw this.#over;
      this.#place.assertMayStart();
      this.#session[STATE] = new DetachedState(this.#policy, this.#record, this.#values, this);
      this.#predecessor ??= this.#record;
      this.#record = undefined;
      this.#newId = undefined;
      this.#marked = false;
      this.#values = new SessionValues();
      this.#session = new Session(this);
      this.#place.install(this.#session);
    });
  }

  /** Stores what has changed; undefined, and nothing encoded twice, where nothing has. */
  saveNow(): Promise<void> | undefined {
    // Whatever became of the error that the app was given: what is not stored is not answered as a success.
    if (this.#over?.status === 503) throw this.#over;
    const delta = this.#values.delta();
    if (delta === undefined && !this.#marked && this.#predecessor === undefined) return undefined;
    if (this.#over !== undefined) throw this.#over;
    if (this.#record !== undefined) return this.#write(this.#record, delta);
    return delta === undefined && !this.#marked ? this.#endPredecessor() : this.#create(delta);
  }

  /** Chained by hand: each `await` less on this path is a promise less per request. */
  #write(record: SessionRecord, delta: ValuesDelta | undefined): Promise<void> {
    const { writer, now, keepEndedMs } = this.#policy;
    const change: Mutable<SessionDelta> = this.#marked ? touchAt(record, now(), keepEndedMs) : {};
    if (delta !== undefined) change.data = delta;
    assertChangeFits(record, this.#values.stored, change, this.#policy);
    this.#marked = false;
    if (this.owner !== record.owner) return this.#writeWithOwner(record, change, delta);
    const counters = this.#place.takeCounters?.(record);
    if (counters !== undefined) change.counters = counters;
    return this.#stored(writer.write(record, change), (isLive) => {
      if (!isLive) throw this.#ended();
      if (change.expiresAt !== undefined) this.#record = applyDelta(record, change);
      if (delta !== undefined) this.#values.written(delta);
    });
  }

  async #writeWithOwner(record: SessionRecord, change: SessionDelta, delta: ValuesDelta | undefined): Promise<void> {
    const { writer } = this.#policy;
    const after = await this.#stored(writer.mutate(record.id, (current) => this.#merged(current, change)));
    if (after === undefined) throw this.#ended();
    if (delta !== undefined) this.#values.written(delta);
    await this.#changed(record, after);
  }

  /** The record was changed in the store; where that changed its owner too, it was a login. */
  async #changed(record: SessionRecord, after: SessionRecord): Promise<void> {
    this.#record = after;
    if (this.#policy.afterLogin !== undefined && after.owner !== record.owner) await this.#loggedIn(after, "before");
  }

  async #create(delta: ValuesDelta | undefined): Promise<void> {
    const { owner } = this;
    if (!(await this.#place.mayCreate(owner))) return;
    this.#place.assertHeadersOpen();
    await this.#store(this.#counted(this.#newRecord(owner, delta?.set ?? dictionary(), false)), delta);
  }

  /** Creates the session with something in it beside its data. Where there is nothing to change, nothing is created. */
  async #createWith(decide: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord> {
    const { owner } = this;
    const delta = this.#values.delta();
    const empty = this.#newRecord(owner, delta?.set ?? dictionary(), false);
    const change = decide(empty);
    if (change === undefined) return empty;
    this.#place.assertMayStart();
    // Only data may be left unsaved: of what is created here the app is told that it is stored.
    if (!(await this.#place.mayCreate(owner))) throw this.#ended();
    const record = applyDelta(this.#counted(empty), change);
    await this.#store(record, delta);
    return record;
  }

  async #store(record: SessionRecord, delta: ValuesDelta | undefined): Promise<void> {
    assertRecordFits(record, this.#policy.maxBytes);
    if (this.#predecessor === undefined) await this.#stored(this.#policy.writer.create(record));
    else await this.#succeed(this.#predecessor, record);
    this.#moveTo(record, false);
    if (delta !== undefined) this.#values.written(delta);
    if (this.#policy.afterLogin !== undefined) await this.#loggedIn(record, "now");
  }

  /**
   * Puts the session that `regenerate` has begun in the place of the old one. Of two logins at once, the second finds the first one's session there, and goes on: who
   * signs in proves by that who they are. A new token for the user that was there proves nothing, and that user may have been killed meanwhile.
   */
  async #succeed(predecessor: SessionRecord, record: SessionRecord): Promise<void> {
    const reason = reasonOf(predecessor.owner, record.owner);
    if (await this.#replace(predecessor, reason, record)) return;
    if (reason !== "login" || !(await this.#place.wasReplaced(predecessor.id))) throw this.#ended();
    await this.#stored(this.#policy.writer.create(record));
  }

  async #endPredecessor(): Promise<void> {
    if (this.#predecessor !== undefined) await this.#end(this.#predecessor);
    this.#predecessor = undefined;
    // Its token is given up with the cookie that this takes back.
    this.#newId = undefined;
    this.#place.moved(undefined, false);
  }

  /** Ends what is there and creates its successor in one step. Only a login goes on where the old one is over already. */
  async #startOver(reason: EndReason, owner: string, keep: readonly string[], remember: boolean): Promise<void> {
    const isLogin = reason === "login";
    if (this.#over !== undefined && !(isLogin && this.#over.code === "SESSION_ENDED")) throw this.#over;
    this.#place.assertMayStart();
    const old = this.#record ?? this.#predecessor;
    if (old === undefined && !isLogin) {
      this.#values.restart(undefined, keep);
      this.#newId = undefined;
      this.#marked = false;
      return;
    }
    this.#newId = undefined;
    const since = this.#values.changes;
    const record = this.#counted(this.#newRecord(owner, this.#values.pick(keep), remember));
    assertRecordFits(record, this.#policy.maxBytes);
    if (old === undefined || this.#over !== undefined || !(await this.#replace(old, reason, record))) {
      if (!isLogin) throw this.#ended();
      await this.#stored(this.#policy.writer.create(record));
    }
    this.#over = undefined;
    this.#marked = false;
    this.#moveTo(record, remember);
    this.#values.restart(record.data, keep, since);
    if (isLogin && this.#policy.afterLogin !== undefined) await this.#loggedIn(record, "now");
  }

  /** What fails here has failed after the login: the session is there, and the request answers for it. */
  async #loggedIn(record: SessionRecord, began: "now" | "before"): Promise<void> {
    const done = record.owner === GUEST_USER ? undefined : this.#policy.afterLogin?.(record, began);
    if (done !== undefined) await this.#stored(done);
  }

  async #replace(old: SessionRecord, reason: EndReason, record: SessionRecord): Promise<boolean> {
    const { writer, onEnded } = this.#policy;
    const replaced =
      (await this.#isStillOn(old)) &&
      (await this.#stored(writer.replace(old.id, endingFor(this.#policy, reason, old.owner), record)));
    if (replaced) onEnded(old, reason);
    return replaced;
  }

  /** Whether its limits have not come yet. One that has expired as it was loaded may have been renewed since. */
  async #isStillOn(old: SessionRecord): Promise<boolean> {
    const { writer, now } = this.#policy;
    if (!isExpired(old, now())) return true;
    const current = await this.#stored(Promise.resolve(writer.load(old.id)));
    return current !== undefined && !isExpired(current, now());
  }

  /** Ends a session that has no successor. */
  async #end(old: SessionRecord): Promise<void> {
    const ended = await this.#stored(this.#policy.writer.end(old.id, endingFor(this.#policy, "closed", old.owner)));
    if (ended) this.#policy.onEnded(old, "closed");
  }

  #moveTo(record: SessionRecord, remember: boolean): void {
    this.#record = record;
    this.#predecessor = undefined;
    this.#newId = undefined;
    this.#marked = false;
    this.#place.moved(record, remember);
    this.#policy.onCreated(record);
  }

  #forget(): void {
    this.#record = undefined;
    this.#predecessor = undefined;
    this.#marked = false;
    this.#values.restart();
    this.#place.moved(undefined, false);
  }

  #newRecord(owner: string, data: Record<string, Encoded>, remember: boolean): SessionRecord {
    const id = (this.#newId ??= this.#place.newId());
    return newRecord(this.#policy, { id, owner, data, origin: this.#place.origin(), remember });
  }

  /** A new record, with what was counted for it. */
  #counted(record: SessionRecord): SessionRecord {
    Object.assign(record.counters, this.#place.takeCounters?.(record));
    return record;
  }

  /** What `mutate` writes: the change, checked against the record as it is then. */
  #merged(current: SessionRecord, change: SessionDelta): SessionDelta {
    assertChangeFits(current, current.data, change, this.#policy);
    return withMergedOwner(this.#policy, current, change, this.#usesPassport);
  }

  /** Waits for a store operation; where it fails, nobody knows what was kept, and this session saves no more. */
  #stored<T>(operation: Promise<T>): Promise<T>;
  #stored<T, R>(operation: Promise<T>, stored: (answer: T) => R): Promise<R>;
  #stored<T>(operation: Promise<T>, stored?: (answer: T) => unknown): Promise<unknown> {
    return operation.then(stored, (error: unknown) => {
      if (error instanceof SessionError && error.status === 503 && this.#place.mayTryAgain !== true) this.#over = error;
      throw error;
    });
  }

  #ended(): SessionError {
    this.#over = new SessionError(
      "SESSION_ENDED",
      "The session was ended while this request worked with it; nothing was saved. Sign in again.",
    );
    return this.#over;
  }
}

function reasonOf(oldOwner: string, newOwner: string): EndReason {
  if (oldOwner === newOwner) return "reset";
  return newOwner === GUEST_USER ? "logout" : "login";
}

function rememberOf(options: unknown): boolean {
  const wrong = "login(user, options) takes { remember: true } or { remember: false }.";
  assertCallOptions(options, ["remember"], "login(user, options)", wrong);
  const { remember = false } = options;
  if (typeof remember === "boolean") return remember;
  throw new SessionError("SESSION_ARGUMENT", wrong);
}
