import { idOfEntity } from "../entity/record-entity";
import { busyError, ownError } from "../datastore-errors";
import { CallDeadline } from "./call-deadline";
import { DatastorePipe } from "./datastore-pipe";
import type { PipeSource } from "./datastore-pipe";
import type { DatastoreRpc } from "./datastore-rpc";
import type { EntityResult } from "../wire/messages";

/** The most keys that Datastore takes in one lookup. */
const MOST_KEYS = 1_000;
/** The most callers whose lookup was not sent yet; further ones fail at once. */
const MOST_WAITING = 10_000;

interface Caller {
  readonly askedAt: number;
  readonly resolve: (found: EntityResult | undefined) => void;
  readonly reject: (error: Error) => void;
}

type Callers = Map<string, Caller[]>;

interface Others {
  /** How many of them have a call under way. */
  readonly underWay: number;
}

const NOBODY: Others = { underWay: 0 };

/**
 * Reads entities of one kind, many in one `Lookup`. A caller joins only a lookup that was not sent yet, because one
 * under way may have read before a change that was acknowledged since. Callers may share an entity and must not change
 * it.
 */
export class DatastoreLookups implements PipeSource {
  readonly #rpc: DatastoreRpc;
  readonly #kind: string;
  readonly #deadline: CallDeadline;
  readonly #others: Others;
  readonly #pipe = new DatastorePipe(this);
  #callers: Callers = new Map();
  #waiting = 0;
  #unanswered = 0;

  /**
   * No lookup is sent later than `timeoutMs` after it was asked for. `others` are callers of something else who will
   * probably ask for a lookup next.
   */
  constructor(rpc: DatastoreRpc, kind: string, timeoutMs: number, others: Others = NOBODY) {
    this.#others = others;
    this.#rpc = rpc;
    this.#kind = kind;
    this.#deadline = new CallDeadline(timeoutMs);
  }

  /** The id must be one that Datastore accepts as the name of a key. */
  find(id: string): Promise<EntityResult | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting >= MOST_WAITING) throw busyError("lookup", this.#waiting);
      const caller = { askedAt: performance.now(), resolve, reject };
      const callers = this.#callers.get(id);
      if (callers === undefined) this.#callers.set(id, [caller]);
      else callers.push(caller);
      this.#waiting += 1;
      this.#unanswered += 1;
      this.#pipe.wake();
    });
  }

  /** Resolves when every caller has its result. */
  idle(): Promise<void> {
    return this.#pipe.idle();
  }

  get waiting(): number {
    return this.#waiting;
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  get expected(): number {
    return this.#others.underWay;
  }

  /** To be called when some of the others got their results. */
  joined(): void {
    this.#pipe.joined();
  }

  next(): (() => Promise<void>) | undefined {
    if (this.#waiting === 0) return undefined;
    const callers = this.#take();
    for (const each of callers.values()) this.#waiting -= each.length;
    return () => this.#send(callers);
  }

  #take(): Callers {
    if (this.#callers.size <= MOST_KEYS) {
      const all = this.#callers;
      this.#callers = new Map();
      return all;
    }
    const first: Callers = new Map();
    for (const [id, callers] of this.#callers) {
      if (first.size === MOST_KEYS) break;
      first.set(id, callers);
      this.#callers.delete(id);
    }
    return first;
  }

  /** Asks again for what was deferred: what the response lists neither as found nor as missing. */
  async #send(callers: Callers): Promise<void> {
    try {
      for (;;) {
        this.#refuseLate(callers);
        if (callers.size === 0) return;
        const keys = Array.from(callers.keys(), (id) => this.#rpc.key(this.#kind, id));
        const { found, missing } = await this.#rpc.lookupAll(keys);
        for (const result of found) this.#answer(callers, idOfEntity(result.entity), result);
        for (const { entity } of missing) this.#answer(callers, idOfEntity(entity), undefined);
      }
    } catch (error) {
      for (const each of callers.values()) this.#refuse(each, () => ownError(error));
    }
  }

  #answer(callers: Callers, id: string, found: EntityResult | undefined): void {
    const answered = callers.get(id) ?? [];
    callers.delete(id);
    this.#unanswered -= answered.length;
    for (const { resolve } of answered) resolve(found);
  }

  #refuseLate(callers: Callers): void {
    const { latest } = this.#deadline;
    for (const [id, each] of callers) {
      // Callers are in the order in which they asked.
      if (each[0] === undefined || each[0].askedAt > latest) continue;
      const inTime = each.filter(({ askedAt }) => askedAt > latest);
      this.#refuse(each.slice(0, each.length - inTime.length), () => this.#deadline.waited("lookup"));
      if (inTime.length > 0) callers.set(id, inTime);
      else callers.delete(id);
    }
  }

  #refuse(callers: readonly Caller[], error: () => Error): void {
    this.#unanswered -= callers.length;
    for (const { reject } of callers) reject(error());
  }
}
