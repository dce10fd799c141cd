import type { OwnContext } from "../stores/own-context";
import type { ClientlessState } from "./clientless-state";

/**
 * The clientless sessions that this process has opened. Those that the app no longer refers to may be collected, except
 * those with a running task or a lease: one timer checks these, and keeps no process alive.
 */
export class OpenSessions {
  readonly #byId = new Map<string, WeakRef<ClientlessState>>();
  readonly #collected = new FinalizationRegistry<string>((id) => this.#byId.delete(id));
  readonly #watched = new Set<ClientlessState>();
  readonly #intervalMs: number;
  readonly #context: OwnContext;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  /** The timer runs in `context`, not in that of the request that starts it. */
  constructor(intervalMs: number, context: OwnContext) {
    this.#intervalMs = intervalMs;
    this.#context = context;
  }

  find(id: string): ClientlessState | undefined {
    return this.#byId.get(id)?.deref();
  }

  add(state: ClientlessState): void {
    this.#byId.set(state.id, new WeakRef(state));
    this.#collected.register(state, state.id, state);
  }

  /** Removes a session that is over. */
  forget(state: ClientlessState): void {
    this.unwatch(state);
    this.#byId.delete(state.id);
    this.#collected.unregister(state);
  }

  watch(state: ClientlessState): void {
    if (this.#isStopped) return;
    this.#watched.add(state);
    this.#timer ??= this.#context.run(() => setInterval(() => this.#checkAll(), this.#intervalMs).unref());
  }

  unwatch(state: ClientlessState): void {
    this.#watched.delete(state);
    if (this.#watched.size === 0) this.#stopTimer();
  }

  /** Stops for good, since the store is about to be closed. */
  stop(): void {
    this.#isStopped = true;
    this.#watched.clear();
    this.#stopTimer();
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #checkAll(): void {
    for (const state of this.#watched) void state.check();
  }
}
