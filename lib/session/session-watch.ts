import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionRecord } from "../record/session-record";
import { isExpired } from "../record/expiry";

/** What a watcher learns of a session. */
export interface SessionWatcher {
  /** The session is over: it has expired, or was ended, here or elsewhere. Called once. */
  readonly onEnded: (hasExpired: boolean) => void;
  /** The record as a check has found it. */
  readonly onChecked?: (record: SessionRecord) => void;
}

export interface SessionWatchSettings {
  readonly load: (id: string) => SessionRecord | undefined | Promise<SessionRecord | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How often the store is asked, in milliseconds. */
  readonly intervalMs: number;
  /** Starts the timer outside of any request. */
  readonly runOutside: <T>(start: () => T) => T;
}

/**
 * A check asks the store for this many sessions in one turn of the event loop, which a store reads together; requests
 * come in between.
 */
const BATCH = 1_000;

/**
 * Tells when sessions end, wherever that happens: at once in this process, elsewhere within `intervalMs`. All sessions
 * that are watched share one timer, which keeps no process alive, and one check of the store. While nobody watches,
 * there is no timer.
 */
export class SessionWatch {
  readonly #settings: SessionWatchSettings;
  readonly #watchers = new Map<string, Set<SessionWatcher>>();
  #timer: NodeJS.Timeout | undefined;
  #isChecking = false;
  #isStopped = false;

  constructor(settings: SessionWatchSettings) {
    this.#settings = settings;
  }

  /** How many sessions are watched. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Watches a session until it ends. Returns what stops that earlier. */
  watch(id: string, watcher: SessionWatcher): () => void {
    if (this.#isStopped) return () => undefined;
    const watchers = this.#watchers.get(id);
    if (watchers === undefined) this.#watchers.set(id, new Set([watcher]));
    else watchers.add(watcher);
    const { runOutside, intervalMs } = this.#settings;
    this.#timer ??= runOutside(() => setInterval(() => void this.check(), intervalMs).unref());
    return () => this.#forget(id, watcher);
  }

  /** The session was ended in this process. */
  ended(id: string): void {
    this.#tellEnded(id, false);
  }

  /**
   * Looks at all sessions that are watched. A session that can't be read is looked at again the next time. Never
   * rejects.
   */
  async check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      const ids = [...this.#watchers.keys()];
      for (let at = 0; at < ids.length && !this.#isStopped; at += BATCH) {
        if (at > 0) await nextTurn();
        await Promise.all(ids.slice(at, at + BATCH).map((id) => this.checkOne(id)));
      }
    } finally {
      this.#isChecking = false;
    }
  }

  /** Looks at one session now, if it is watched. Never rejects. */
  async checkOne(id: string): Promise<void> {
    if (!this.#watchers.has(id)) return;
    const { load, now } = this.#settings;
    let record: SessionRecord | undefined;
    try {
      record = await load(id);
    } catch {
      // Requests report that the store fails; whether the session has ended is known once it is back.
      return;
    }
    if (record === undefined || isExpired(record, now())) {
      this.#tellEnded(id, record !== undefined);
      return;
    }
    for (const { onChecked } of this.#watchers.get(id) ?? []) onChecked?.(record);
  }

  /** For good: the store is about to be closed. Nobody is told that a session has ended. */
  stop(): void {
    this.#isStopped = true;
    this.#watchers.clear();
    this.#restIfIdle();
  }

  #tellEnded(id: string, hasExpired: boolean): void {
    const watchers = this.#watchers.get(id);
    if (watchers === undefined) return;
    this.#watchers.delete(id);
    this.#restIfIdle();
    for (const { onEnded } of watchers) onEnded(hasExpired);
  }

  #forget(id: string, watcher: SessionWatcher): void {
    const watchers = this.#watchers.get(id);
    if (watchers?.delete(watcher) === true && watchers.size === 0) this.#watchers.delete(id);
    this.#restIfIdle();
  }

  #restIfIdle(): void {
    if (this.#watchers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
