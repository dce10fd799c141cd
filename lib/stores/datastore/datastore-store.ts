import { SessionError } from "../../errors";
import { isExpired } from "../../record/expiry";
import { applyDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import { endedRecord, groupOf } from "../../record/session-record";
import type { EndedRecord, Ending, SessionRecord } from "../../record/session-record";
import {
  clearDatastore,
  findInDatastore,
  findUnreadableInDatastore,
  tallyDatastore,
  unlessUnreadable,
} from "./datastore-queries";
import { CallDeadline } from "./calls/call-deadline";
import { QueueById, untilSettled } from "../conflicts";
import {
  endedProperties,
  ENDING_PROPERTIES,
  liveProperties,
  readEnding,
  readLive,
  updateMutation,
} from "./entity/record-entity";
import { busyError } from "./datastore-errors";
import type { CommitOutcome } from "./datastore-errors";
import { assertWithinLimits, isKeyName } from "./size-limits";
import { DatastoreLookups } from "./calls/datastore-lookups";
import { resolveDatastoreOptions } from "./datastore-options";
import type { DatastoreStoreOptions } from "./datastore-options";
import { DatastoreRpc } from "./calls/datastore-rpc";
import { DatastoreUpdates } from "./calls/datastore-updates";
import { CONFLICT_FAIL } from "./wire/messages";
import type { Entity, EntityResult, Mutation } from "./wire/messages";
import { alreadyStored, closedError } from "../store";
import type { ClearProgress, FindQuery, SessionStore, SessionTally, UnreadableQuery, UnreadableRecord } from "../store";

export type { DatastoreStoreOptions } from "./datastore-options";

/** How often a record is ended only in the state in which it was read; later attempts end it in any state. */
const EXACT_ATTEMPTS = 6;

/**
 * The most operations under way, besides loads and updates, which have limits of their own; further ones fail at once.
 */
const MOST_UNDER_WAY = 10_000;

/**
 * Keeps sessions in Google Cloud Datastore (Firestore in Datastore mode), or in its emulator where
 * `DATASTORE_EMULATOR_HOST` is set. Needs the package `@google-cloud/datastore`, and the role `roles/datastore.user`.
 */
export class DatastoreStore implements SessionStore {
  readonly #rpc: DatastoreRpc;
  readonly #lookups: DatastoreLookups;
  readonly #updates: DatastoreUpdates;
  readonly #kinds: { readonly live: string; readonly ended: string };
  readonly #now: () => number;
  readonly #deadline: CallDeadline;
  /** The changes of `mutate`. */
  readonly #changes = new QueueById();
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** `SESSION_CONFIG` where `@google-cloud/datastore` is not installed or an option can't be used. */
  constructor(options: DatastoreStoreOptions = {}) {
    const resolved = resolveDatastoreOptions(options);
    this.#kinds = { live: resolved.kind, ended: `${resolved.kind}-ended` };
    this.#now = resolved.now;
    this.#deadline = new CallDeadline(resolved.timeoutMs);
    this.#rpc = new DatastoreRpc(resolved);
    // An update is usually the end of a request, and the visitor's next request begins with a load.
    this.#updates = new DatastoreUpdates(this.#rpc, this.#kinds.live, resolved.timeoutMs, () => this.#lookups.joined());
    this.#lookups = new DatastoreLookups(this.#rpc, this.#kinds.live, resolved.timeoutMs, this.#updates);
  }

  // Not async, here and in `update`: that would make one more promise in every request.
  load(id: string): Promise<SessionRecord | undefined> {
    if (this.#closed !== undefined) return Promise.reject(closedError("DatastoreStore"));
    return this.#find(id).then(liveRecordOf);
  }

  create(record: SessionRecord): Promise<void> {
    return this.#run(async () => {
      const outcome = await this.#rpc.commit([{ insert: this.#liveEntity(record) }], "single");
      if (outcome === "exists") throw alreadyStored(record.id);
      if (outcome !== "applied") throw new SessionError("SESSION_CONFLICT", `Session ${record.id} was not created.`);
    });
  }

  update(id: string, delta: SessionDelta): Promise<boolean> {
    if (this.#closed !== undefined) return Promise.reject(closedError("DatastoreStore"));
    return isKeyName(id) ? this.#updates.update(id, delta) : Promise.resolve(false);
  }

  mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined): Promise<SessionRecord | undefined> {
    const asked = performance.now();
    // Of changes made at the same time only one is applied; those of this process wait for each other, so that none is
    // made in vain.
    const attempts = () =>
      untilSettled(id, asked, this.#deadline, async () => {
        const found = await this.#find(id);
        if (found === undefined) return undefined;
        const record = readLive(found.entity);
        if (isExpired(record, this.#now())) return undefined;
        const delta = change(record);
        if (delta === undefined) return record;
        const changed = applyDelta(record, delta);
        assertWithinLimits(id, liveProperties(changed));
        const mutation = { ...this.#updateMutation(id, recounted(delta, changed)), ...only(found) };
        const outcome = await this.#commitInTime(asked, [mutation], "single");
        return outcome === "applied" ? changed : "conflict";
      });
    return this.#run(() => this.#changes.add(id, attempts));
  }

  replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return this.#run(async () => {
      const insert = { insert: this.#liveEntity(record) };
      const outcome = await this.#end(oldId, ending, [insert]);
      if (outcome === "exists") throw alreadyStored(record.id);
      return outcome === "applied";
    });
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return this.#run(async () => (await this.#end(id, ending, [])) === "applied");
  }

  find(query: FindQuery): AsyncGenerator<SessionRecord | EndedRecord> {
    return this.#stream(findInDatastore(this.#rpc, this.#kinds[query.state], query));
  }

  findUnreadable(query: UnreadableQuery): AsyncGenerator<UnreadableRecord> {
    return this.#stream(findUnreadableInDatastore(this.#rpc, this.#kinds.live, query));
  }

  tally(now: number): Promise<readonly SessionTally[]> {
    return this.#run(() => tallyDatastore(this.#rpc, this.#kinds.live, now));
  }

  clear(now: number, onProgress?: ClearProgress): Promise<number> {
    return this.#run(() => clearDatastore(this.#rpc, Object.values(this.#kinds), now, onProgress));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await Promise.all([this.#lookups.idle(), this.#updates.idle()]);
    await this.#rpc.close();
  }

  // What is kept of the record is read first. The transaction begins with an update of the live entity, which fails
  // where that is gone, and the rest fails with it: Datastore has no conditional delete.
  async #end(id: string, ending: Ending, successor: readonly Mutation[]): Promise<CommitOutcome> {
    const key = this.#rpc.key(this.#kinds.live, id);
    const asked = performance.now();
    return untilSettled(id, asked, this.#deadline, async (conflicts) => {
      const found = isKeyName(id) ? await this.#rpc.lookup(key, ENDING_PROPERTIES) : undefined;
      if (found === undefined) return "missing";
      // A session that never stops changing must be ended too, if need be with a header that is slightly out of date.
      const exact = conflicts < EXACT_ATTEMPTS ? only(found) : {};
      const mutations = [
        { update: { key, properties: {} }, ...exact },
        { delete: key, ...exact },
        ...this.#endedMutation(found, ending),
        ...successor,
      ];
      return this.#commitInTime(asked, mutations, "atomic");
    });
  }

  #endedMutation({ entity }: EntityResult, ending: Ending): Mutation[] {
    if (ending.purgeAt <= ending.endedAt) return [];
    // Nothing is kept of a record that can't be read.
    const record = unlessUnreadable(() => endedRecord(readEnding(entity), ending));
    if (record === undefined) return [];
    return [{ upsert: { key: this.#rpc.key(this.#kinds.ended, record.id), properties: endedProperties(record) } }];
  }

  /** Sends the mutations, unless their time is over: the caller has been told by then that the operation failed. */
  async #commitInTime(asked: number, mutations: readonly Mutation[], mode: "single" | "atomic") {
    this.#deadline.assertInTime("commit", asked);
    return this.#rpc.commit(mutations, mode);
  }

  #find(id: string): Promise<EntityResult | undefined> {
    return isKeyName(id) ? this.#lookups.find(id) : Promise.resolve(undefined);
  }

  #liveEntity(record: SessionRecord): Entity {
    const properties = liveProperties(record);
    assertWithinLimits(record.id, properties);
    return { key: this.#rpc.key(this.#kinds.live, record.id), properties };
  }

  #updateMutation(id: string, delta: SessionDelta): Mutation {
    const mutation = updateMutation(this.#rpc.key(this.#kinds.live, id), id, delta);
    if (mutation.update !== undefined) assertWithinLimits(id, mutation.update.properties);
    return mutation;
  }

  async *#stream<T>(batches: AsyncGenerator<readonly T[]>): AsyncGenerator<T> {
    for (;;) {
      const batch = await this.#run(() => batches.next());
      if (batch.done === true) return;
      yield* batch.value;
    }
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    if (this.#underWay.size >= MOST_UNDER_WAY) throw busyError("call", this.#underWay.size);
    const running = work();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw closedError("DatastoreStore");
  }
}

function liveRecordOf(found: EntityResult | undefined): SessionRecord | undefined {
  return found && readLive(found.entity);
}

/** The change with what the tally needs: its group changes with the owner. */
function recounted(delta: SessionDelta, changed: SessionRecord): SessionDelta {
  if (delta.owner === undefined && delta.expiresAt === undefined) return delta;
  return { ...delta, expiresAt: changed.expiresAt, group: groupOf(changed) };
}

/** The mutation is applied only to the very state that was read. */
function only({ version }: EntityResult) {
  return { baseVersion: version, conflictResolutionStrategy: CONFLICT_FAIL };
}
