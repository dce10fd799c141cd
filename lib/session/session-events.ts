import type { EventEmitter } from "node:events";
import { warnOf } from "../errors";
import type { SessionErrorCode } from "../errors";
import type { EndReason } from "../record/session-record";

/** What listeners are told of a session that began or ended in this process. */
export interface SessionEvent {
  /** The id of the session. */
  readonly id: string;
  /** Empty where the session could not be read. */
  readonly owner: string;
}

/** The events of `Sessions`, with what their listeners are given. */
export interface SessionEvents {
  /** A session began: it was stored for the first time. */
  created: [SessionEvent];
  /** A session ended in this process, and why. */
  ended: [
    SessionEvent & {
      /** Why it ended. */
      readonly reason: EndReason;
    },
  ];
  /**
   * A failure that fails no request: of a touch in the background, of the clearing job, of a listener. Without a
   * listener it becomes a process warning.
   */
  error: [unknown];
}

/** How many places in an app's code are remembered; changes from other places are told each time. */
const MAX_PLACES = 1000;

/** Tells what happens: events to the listeners of a `Sessions`, and warnings to the process. */
export class Announcer {
  readonly #emitter: EventEmitter;
  readonly #warned = new Set<string>();
  /** The places in an app's code that have changed a session too late: each is warned of once. */
  readonly #latePlaces = new Set<string>();

  constructor(emitter: EventEmitter<SessionEvents>) {
    this.#emitter = emitter;
  }

  created({ id, owner }: SessionEvent): void {
    this.#emit("created", { id, owner });
  }

  ended({ id, owner }: SessionEvent, reason: EndReason): void {
    this.#emit("ended", { id, owner, reason });
  }

  error(error: unknown): void {
    if (this.#isHeard()) this.#emitter.emit("error", error);
    else warnOf(error);
  }

  /**
   * A session was changed after its response, and not saved. A listener is told each time, the process once for each
   * place in the code.
   */
  late(error: Error): void {
    if (this.#isHeard() || this.#isFirstOfItsPlace(error)) this.error(error);
  }

  /** Warns the process, the first time that it is called with this message. */
  warnOnce(message: string, code?: SessionErrorCode): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    process.emitWarning(message, { type: "CoatcheckWarning", ...(code === undefined ? undefined : { code }) });
  }

  #emit<Name extends "created" | "ended">(name: Name, event: SessionEvents[Name][0]): void {
    try {
      this.#emitter.emit(name, event);
    } catch (error) {
      // What is stored stays stored, even if a listener throws.
      this.error(error);
    }
  }

  #isHeard(): boolean {
    return this.#emitter.listenerCount("error") > 0;
  }

  #isFirstOfItsPlace({ stack = "" }: Error): boolean {
    if (this.#latePlaces.has(stack)) return false;
    if (this.#latePlaces.size < MAX_PLACES) this.#latePlaces.add(stack);
    return true;
  }
}
