import type { SessionDelta } from "../../../record/session-delta";
import type { Mutation } from "../wire/messages";

/** What one caller wants to be written to an entity. */
export interface Change {
  readonly delta: SessionDelta;
  readonly mutation: Mutation;
  readonly bytes: number;
  /** By `performance.now()`. */
  readonly askedAt: number;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** What travels to one entity. */
export interface Write {
  readonly id: string;
  /** In the order in which they were asked for. */
  readonly changes: readonly Change[];
  /** What is sent to it after that, each change by itself. */
  readonly rest?: readonly Change[];
}

/** What one commit takes: Datastore's limit of mutations, and bytes well below its limit of 10 MiB. */
const MOST_ENTITIES = 500;
const MOST_BYTES = 3 * 2 ** 20;
/** What the changes of one entity may have together; an entity takes no more. */
const MOST_ENTITY_BYTES = 2 ** 20;
/** More than these do not wait. */
const MOST_CHANGES = 10_000;
const MOST_WAITING_BYTES = 64 * 2 ** 20;

/**
 * The changes that were not sent yet. An entity that was taken is not taken again before it was released, so its changes are
 * sent in the order in which they were asked for.
 */
export class DatastoreChanges {
  readonly #changes = new Map<string, Change[]>();
  /** The ids of `#changes` that are not taken, the one that waits longest first. */
  readonly #ready = new Set<string>();
  readonly #taken = new Set<string>();
  #count = 0;
  #bytes = 0;

  /** How many entities could be taken now. */
  get ready(): number {
    return this.#ready.size;
  }

  get count(): number {
    return this.#count;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#count < MOST_CHANGES && this.#bytes + bytes <= MOST_WAITING_BYTES;
  }

  add(id: string, change: Change): void {
    const changes = this.#changes.get(id);
    if (changes === undefined) this.#changes.set(id, [change]);
    else changes.push(change);
    if (!this.#taken.has(id)) this.#ready.add(id);
    this.#count += 1;
    this.#bytes += change.bytes;
  }

  /** As much as fits in one commit; nothing where nothing is ready. */
  take(): Write[] {
    const writes: Write[] = [];
    let room = MOST_BYTES;
    for (const id of this.#ready) {
      if (writes.length === MOST_ENTITIES) break;
      const changes = this.#takeOf(id, Math.min(room, MOST_ENTITY_BYTES), writes.length === 0);
      if (changes.length === 0) break;
      for (const { bytes } of changes) room -= bytes;
      writes.push({ id, changes });
    }
    return writes;
  }

  /** The entity may be taken again. */
  release(id: string): void {
    this.#taken.delete(id);
    if (this.#changes.has(id)) this.#ready.add(id);
  }

  #takeOf(id: string, room: number, atLeastOne: boolean): Change[] {
    const changes = this.#changes.get(id) ?? [];
    let count = 0;
    let bytes = 0;
    for (const change of changes) {
      const fits = bytes + change.bytes <= room || (atLeastOne && count === 0);
      if (!fits) break;
      bytes += change.bytes;
      count += 1;
    }
    if (count === 0) return [];
    // Out of the list itself: V8 may keep tables of the `Map` that it was in for long, and a change refers to the request that waits for it.
    const taken = changes.splice(0, count);
    if (changes.length === 0) this.#changes.delete(id);
    this.#ready.delete(id);
    this.#taken.add(id);
    this.#count -= count;
    this.#bytes -= bytes;
    return taken;
  }
}
