import { SessionError } from "../../errors";
import { assertCallOptions } from "../../options/reader/read-options";
import { dictionary, GUEST_USER } from "../../record/session-record";
import { isExpired, touchAt } from "../../record/expiry";
import type { SessionDelta } from "../../record/session-delta";
import type { SessionRecord } from "../../record/session-record";
import { SessionAttributes } from "../attributes/session-attributes";
import type { KeyedSession } from "../security-keys/security-keys";
import { SecurityKeys } from "../security-keys/security-keys";
import { Session } from "../session";
import { cookieView, sessionMeta } from "../session-meta";
import type { CookieView, SessionMeta } from "../session-meta";
import { openPages } from "../open-page";
import type { OpenPage } from "../open-page";
import { abortedSignal, sessionSignal } from "../session-signal";
import { userId } from "../session-owner";
import { STATE } from "../session-proxy";
import { changeRecord, saveNow, updateKey } from "./saving";
import { SessionLife } from "./session-life";
import type { SessionPolicy } from "./session-policy";
import { DetachedState } from "./session-state";
import type { LoginOptions, SessionState } from "./session-state";
import { destroy, startOver } from "./starting-over";

/** A session that is, or can be, in the store. What the app does with it happens one after the other. */
export abstract class StoredSession extends SessionLife implements SessionState, KeyedSession {
  #session: Session;
  #signal: { readonly of: string | undefined; readonly signal: AbortSignal } | undefined;
  #attributes: SessionAttributes | undefined;
  #securityKeys: SecurityKeys | undefined;
  readonly #turns = new Turns();

  constructor(policy: SessionPolicy, record: SessionRecord | undefined) {
    super(policy, record);
    this.#session = new Session(this);
  }

  abstract given<T>(promise: Promise<T>): Promise<T>;

  get session(): Session {
    return this.#session;
  }

  get isNew(): boolean {
    return this.record === undefined;
  }

  get meta(): SessionMeta {
    return sessionMeta(this.#shown);
  }

  get cookie(): CookieView {
    const record = this.#shown;
    return cookieView(this.forgottenAt(record), record.createdAt, this.policy.now());
  }

  /** When the client forgets the session, in milliseconds since the epoch; null where that is with its browser. */
  protected forgottenAt(_record: SessionRecord): number | null {
    return null;
  }

  get #shown(): SessionRecord {
    return this.record ?? this.newRecord(GUEST_USER, dictionary(), false);
  }

  get pages(): readonly OpenPage[] {
    return openPages(this.record, this.policy.now());
  }

  get signal(): AbortSignal {
    const { id } = this.record ?? {};
    if (this.#signal === undefined || this.#signal.of !== id) this.#signal = { of: id, signal: this.#newSignal(id) };
    return this.#signal.signal;
  }

  #newSignal(id: string | undefined): AbortSignal {
    if (this.over !== undefined) return abortedSignal();
    if (id === undefined) return new AbortController().signal;
    return sessionSignal(this.policy.watch(), id, (letGo) => this.onClientGone(letGo));
  }

  /** Calls back once nothing can be sent to the client any more. */
  protected onClientGone(_callback: () => void): void {
    // Where there is no client, it never goes.
  }

  get attributes(): SessionAttributes {
    return (this.#attributes ??= new SessionAttributes(this, this.policy));
  }

  get securityKeys(): SecurityKeys {
    return (this.#securityKeys ??= new SecurityKeys(this, this.policy.now));
  }

  keyFor(_use: string): string | undefined {
    return undefined;
  }

  keyShown(): void {
    if (this.record !== undefined) return;
    if (this.over !== undefined) throw this.over;
    this.assertMayStart();
    this.newId();
    this.marked = true;
  }

  markChanged(): void {
    this.marked = true;
  }

  save(): Promise<void> {
    return this.#turns.next(async () => saveNow(this));
  }

  /**
   * What the end of a request asks for: undefined where there is nothing to store and nothing to wait for. Rejects also
   * where something that the app did not wait for has failed.
   */
  settle(): Promise<void> | undefined {
    const { underWay } = this.#turns;
    const saving = underWay === undefined ? saveNow(this) : underWay.then(() => saveNow(this));
    return saving === undefined ? undefined : this.#turns.take(saving);
  }

  /** How often something was done with it that may have saved. */
  get turnsTaken(): number {
    return this.#turns.count;
  }

  /** What failed last; the caller of what failed was told. */
  get failure(): unknown {
    return this.#turns.failure;
  }

  reload(): Promise<void> {
    return this.#turns.next(async () => {
      const old = this.record;
      if (old === undefined) {
        this.values.restart();
        return;
      }
      const record = await this.policy.writer.load(old.id);
      if (record === undefined || isExpired(record, this.policy.now())) throw this.ended();
      this.renew(record);
    });
  }

  touch(): Promise<void> {
    return this.#turns.next(async () => {
      const { record, policy } = this;
      if (record === undefined) return;
      const touch = touchAt(record, policy.now(), policy.keepEndedMs);
      // A touch that fails doesn't end saving: nothing of the app's was lost with it.
      if (!(await policy.writer.write(record, { ...touch, ...this.takeAlong(record) }))) throw this.ended();
      this.goOn({ ...record, ...touch });
    });
  }

  update(key: string, change: (value: unknown) => unknown): Promise<unknown> {
    return this.#turns.next(() => updateKey(this, key, change));
  }

  current(): SessionRecord | undefined | Promise<SessionRecord | undefined> {
    if (this.over?.code === "SESSION_ENDED") return undefined;
    const { record } = this;
    if (record === undefined || !isExpired(record, this.policy.now())) return record;
    return this.#turns.next(async () => {
      if (this.record !== record) return this.record;
      const stored = await this.policy.writer.load(record.id);
      if (stored === undefined || isExpired(stored, this.policy.now())) return undefined;
      this.goOn(stored);
      return stored;
    });
  }

  change(decide: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord> {
    return this.#turns.next(() => changeRecord(this, decide));
  }

  login(user: string | number, options: LoginOptions): Promise<void> {
    return this.#turns.next(async () => {
      const owner = userId(user, "login(user)");
      const remember = rememberOf(options);
      return startOver(this, { reason: "login", owner, keep: this.policy.keepOnLogin, remember });
    });
  }

  logout(): Promise<void> {
    const { keepOnLogout: keep } = this.policy;
    return this.#turns.next(() => startOver(this, { reason: "logout", owner: GUEST_USER, keep, remember: false }));
  }

  reset(): Promise<void> {
    return this.#turns.next(() => startOver(this, { reason: "reset", owner: GUEST_USER, keep: [], remember: false }));
  }

  destroy(): Promise<void> {
    return this.#turns.next(() => destroy(this));
  }

  regenerate(): Promise<void> {
    return this.#turns.next(async () => {
      if (this.over !== undefined) throw this.over;
      this.assertMayStart();
      this.#session[STATE] = new DetachedState(this.policy, this.record, this.values, this);
      this.leaveBehind();
      this.#session = new Session(this);
    });
  }
}

function rememberOf(options: unknown): boolean {
  const wrong = "login(user, options) takes { remember: true } or { remember: false }.";
  assertCallOptions(options, ["remember"], "login(user, options)", wrong);
  const { remember = false } = options;
  if (typeof remember === "boolean") return remember;
  throw new SessionError("SESSION_ARGUMENT", wrong);
}

/** Makes what is done with a session happen one after the other. */
class Turns {
  /** The work under way: the next one waits for it. */
  #turn: Promise<unknown> | undefined;
  /** The promise of it that the caller was given. */
  #given: Promise<unknown> | undefined;
  #failure: unknown;
  #count = 0;

  /** What is under way; undefined for nothing. */
  get underWay(): Promise<unknown> | undefined {
    return this.#given;
  }

  /** How many turns were taken so far. */
  get count(): number {
    return this.#count;
  }

  /** What failed last. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Does this once everything before it is done, whether or not that failed. */
  next<T>(work: () => Promise<T>): Promise<T> {
    return this.take(this.#turn === undefined ? work() : this.#turn.then(work, work));
  }

  /** What is under way from now on is this. */
  take<T>(turn: Promise<T>): Promise<T> {
    const given = turn.then(
      (value) => {
        this.#end(turn);
        return value;
      },
      async (error: unknown) => {
        this.#failure = error;
        // A handler that did not wait, and ends its response now, still finds the failure; one that waited comes later.
        await null;
        this.#end(turn);
        throw error;
      },
    );
    this.#count += 1;
    this.#turn = turn;
    this.#given = given;
    return given;
  }

  #end(turn: Promise<unknown>): void {
    if (this.#turn === turn) this.#turn = this.#given = undefined;
  }
}
