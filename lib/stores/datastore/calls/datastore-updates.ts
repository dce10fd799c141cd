import { setTimeout as sleep } from "node:timers/promises";
import { mergedDelta } from "../../../record/session-delta";
import type { SessionDelta } from "../../../record/session-delta";
import { busyError, isInvalid, ownError } from "../datastore-errors";
import { updateMutation } from "../entity/record-entity";
import { assertWithinLimits } from "../size-limits";
import type { Mutation } from "../wire/messages";
import { CallDeadline } from "./call-deadline";
import { ATTEMPTS, backoffMs, conflictError } from "../../conflicts";
import { DatastorePipe } from "./datastore-pipe";
import type { PipeSource } from "./datastore-pipe";
import type { DatastoreRpc } from "./datastore-rpc";

/**
 * A group that failed because of one write in it is divided into this many parts: after a few rounds that write is
 * alone, and the rest have been sent in large groups.
 */
const PARTS = 8;

/**
 * Changes entities of one kind, many in one transaction. There is never more than one write of an entity under way, so
 * that the later change stays. A failed write is sent again only after a response which proves that nothing of it was
 * applied: after a lost response, an older value could overwrite a newer one.
 */
export class DatastoreUpdates implements PipeSource {
  readonly #rpc: DatastoreRpc;
  readonly #kind: string;
  readonly #deadline: CallDeadline;
  readonly #changes = new DatastoreChanges();
  readonly #pipe = new DatastorePipe(this);
  readonly #onSettled: () => void;
  #unanswered = 0;

  /**
   * No change is sent later than `timeoutMs` after it was asked for. `onSettled` is called when some callers got their
   * results.
   */
  constructor(rpc: DatastoreRpc, kind: string, timeoutMs: number, onSettled: () => void = () => undefined) {
    this.#onSettled = onSettled;
    this.#rpc = rpc;
    this.#kind = kind;
    this.#deadline = new CallDeadline(timeoutMs);
  }

  /**
   * False, and nothing written, where there is no such entity. The id must be one that Datastore accepts as the name of
   * a key.
   */
  update(id: string, delta: SessionDelta): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const mutation = this.#mutation(id, delta);
      const bytes = bytesOf(id, mutation);
      if (!this.#changes.hasRoomFor(bytes)) throw busyError("commit", this.#changes.count);
      this.#changes.add(id, { delta, mutation, bytes, askedAt: performance.now(), resolve, reject });
      this.#unanswered += 1;
      this.#pipe.wake();
    });
  }

  /** Resolves when every caller has its result. */
  idle(): Promise<void> {
    return this.#pipe.idle();
  }

  get waiting(): number {
    return this.#changes.ready;
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  /** There is no way to tell who will ask for a change next. */
  readonly expected = 0;

  /** How many callers have a change under way. */
  get underWay(): number {
    return this.#unanswered - this.#changes.count;
  }

  next(): (() => Promise<void>) | undefined {
    const writes = this.#changes.take();
    return writes.length === 0 ? undefined : () => this.#send(writes, 0);
  }

  async #send(group: readonly Write[], conflicts: number): Promise<void> {
    const writes = group.map((write) => this.#inTime(write, conflicts)).filter(({ changes }) => changes.length > 0);
    const [first, ...others] = writes;
    if (first === undefined) return;
    try {
      const mutations = writes.map((write) => this.#mutationOf(write));
      const outcome = await this.#rpc.commit(mutations, others.length === 0 ? "single" : "atomic");
      if (outcome === "applied") this.#settle(writes, ({ resolve }) => resolve(true));
      else if (others.length > 0) this.#divide(writes);
      else if (outcome === "conflict") this.#sendLater(first, conflicts + 1);
      else this.#settle(writes, ({ resolve }) => resolve(false));
    } catch (error) {
      const isAlone = others.length === 0 && first.changes.length === 1;
      if (isAlone || !isInvalid(error)) this.#settle(writes, ({ reject }) => reject(ownError(error)));
      else if (others.length > 0) this.#divide(writes);
      else this.#sendApart(first);
    }
  }

  #divide(writes: readonly Write[]): void {
    const size = Math.ceil(writes.length / PARTS);
    for (let start = 0; start < writes.length; start += size) {
      const part = writes.slice(start, start + size);
      this.#pipe.again(() => this.#send(part, 0));
    }
  }

  #sendLater(write: Write, conflicts: number): void {
    if (conflicts === ATTEMPTS) {
      this.#settle([write], ({ reject }) => reject(conflictError(write.id)));
      return;
    }
    void sleep(backoffMs(conflicts)).then(() => this.#pipe.again(() => this.#send([write], conflicts)));
  }

  /** Sends the changes one after the other, because Datastore refuses them together. */
  #sendApart({ id, changes, rest = [] }: Write): void {
    const write = { id, changes: changes.slice(0, 1), rest: [...changes.slice(1), ...rest] };
    this.#pipe.again(() => this.#send([write], 0));
  }

  /** The write without those changes whose callers were told that they failed. */
  #inTime(write: Write, conflicts: number): Write {
    const { latest } = this.#deadline;
    if (write.changes.every(({ askedAt }) => askedAt > latest)) return write;
    const late = write.changes.filter(({ askedAt }) => askedAt <= latest);
    const changes = write.changes.filter(({ askedAt }) => askedAt > latest);
    const error = () => (conflicts > 0 ? conflictError(write.id) : this.#deadline.waited("commit"));
    this.#answer(late, ({ reject }) => reject(error()));
    if (changes.length === 0) this.#finish(write);
    return { ...write, changes };
  }

  #settle(writes: readonly Write[], answer: (change: Change) => void): void {
    for (const write of writes) {
      this.#answer(write.changes, answer);
      this.#finish(write);
    }
  }

  #answer(changes: readonly Change[], answer: (change: Change) => void): void {
    this.#unanswered -= changes.length;
    for (const change of changes) answer(change);
    this.#onSettled();
  }

  #finish({ id, rest = [] }: Write): void {
    if (rest.length > 0) this.#sendApart({ id, changes: rest });
    else this.#changes.release(id);
  }

  #mutationOf({ id, changes }: Write): Mutation {
    const [first, ...others] = changes;
    if (first !== undefined && others.length === 0) return first.mutation;
    return this.#mutation(id, mergedDelta(changes.map(({ delta }) => delta)));
  }

  #mutation(id: string, delta: SessionDelta): Mutation {
    return updateMutation(this.#rpc.key(this.#kind, id), id, delta);
  }
}

/**
 * About how many bytes the mutation takes in a request. Throws where Datastore would refuse it whatever the entity
 * holds.
 */
function bytesOf(id: string, { update, propertyMask, propertyTransforms }: Mutation): number {
  let bytes = update === undefined ? 0 : assertWithinLimits(id, update.properties);
  for (const path of propertyMask?.paths ?? []) bytes += path.length;
  for (const { property } of propertyTransforms ?? []) bytes += property.length;
  return bytes;
}

/** A change of an entity that one caller asked for. */
export interface Change {
  readonly delta: SessionDelta;
  readonly mutation: Mutation;
  readonly bytes: number;
  /** By `performance.now()`. */
  readonly askedAt: number;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** What one commit writes to one entity. */
export interface Write {
  readonly id: string;
  /** In the order in which they were asked for. */
  readonly changes: readonly Change[];
  /** Changes that are sent after these, each by itself. */
  readonly rest?: readonly Change[];
}

/** The most that goes in one commit: Datastore's limit of mutations, and bytes well below its limit of 10 MiB. */
const MOST_ENTITIES = 500;
const MOST_BYTES = 3 * 2 ** 20;
/** The most bytes of changes to one entity that are sent together; an entity can't be larger. */
const MOST_ENTITY_BYTES = 2 ** 20;
/** The most changes that wait; further ones fail at once. */
const MOST_CHANGES = 10_000;
const MOST_WAITING_BYTES = 64 * 2 ** 20;

/**
 * The changes that were not sent yet. An entity that was taken is not taken again until it is released, so that its
 * changes are sent in the order in which they were asked for.
 */
export class DatastoreChanges {
  readonly #changes = new Map<string, Change[]>();
  /** The ids in `#changes` that are not taken, those that have waited longest first. */
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

  /** Takes as much as fits in one commit; nothing where nothing is ready. */
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
    // Removed from the list itself: V8 may keep old tables of the `Map` that the list was in, and a change refers to
    // the request that waits for it.
    const taken = changes.splice(0, count);
    if (changes.length === 0) this.#changes.delete(id);
    this.#ready.delete(id);
    this.#taken.add(id);
    this.#count -= count;
    this.#bytes -= bytes;
    return taken;
  }
}
