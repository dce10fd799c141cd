import type { SessionRecord } from "../record/session-record";
import type { LmdbFolder } from "./lmdb-folder";
import type { Versioned } from "./lmdb-record";
import { nextVersion } from "./lmdb-table";

/** A live record as the next write should find it. */
export interface Latest extends Versioned<SessionRecord> {
  /** The write that makes it so, where that is not committed yet; it may come to nothing. */
  readonly underWay?: UpdateUnderWay;
}

interface UpdateUnderWay {
  readonly update: Versioned<SessionRecord>;
  /** Whether it was written; false where the record was changed or ended by another before. */
  readonly written: Promise<boolean>;
  /** The same for updates that build on each other: where one comes to nothing, so do those after it. */
  readonly chain: object;
}

/**
 * The updates of live records that this process has under way. One of the same record builds on the one before it instead
 * of waiting for it; so all of them can travel in one transaction, and they never fail because of each other.
 */
export class LmdbUpdates {
  readonly #folder: LmdbFolder;
  readonly #underWay = new Map<string, UpdateUnderWay>();

  constructor(folder: LmdbFolder) {
    this.#folder = folder;
  }

  /** Throws `SESSION_UNREADABLE`. */
  latest(id: string): Latest | undefined {
    return this.#written(id) ?? this.#folder.read(() => this.#folder.live.readAgain(id));
  }

  /**
   * The same, mostly, without a look at what is stored: by the time that a request writes, the record was read for it. Only for `rewrite`, which
   * answers false where it is not what is stored any more.
   */
  likely(id: string): Latest | undefined {
    return this.#written(id) ?? this.#folder.live.lastKnown(id) ?? this.latest(id);
  }

  #written(id: string): Latest | undefined {
    const underWay = this.#underWay.get(id);
    return underWay === undefined ? undefined : { ...underWay.update, underWay };
  }

  /** Writes `record` over `base`; false, and nothing written, where that is not what is stored any more. */
  rewrite(base: Latest, record: SessionRecord): Promise<boolean> {
    const { live } = this.#folder;
    const update = { record, version: nextVersion() };
    const packed = live.pack(record, update.version);
    const chain = base.underWay?.chain ?? {};
    const settled = (done = false) => {
      this.#conclude(update, chain, done);
      if (done) live.keep(record.id, update, packed.length);
      else live.forget(record.id);
    };
    const write = () => live.rewrite(base, record, packed, update.version);
    const written = this.#folder.committed(write, settled);
    this.#underWay.set(record.id, { update, written, chain });
    return written;
  }

  /**
   * Changes a live record inside a transaction, where nobody comes in between; nothing is written where the change answers none. Answers
   * whether there is a live record.
   */
  alone(id: string, change: (record: SessionRecord) => SessionRecord | undefined): Promise<boolean> {
    const { live } = this.#folder;
    return this.#folder.alone(() => {
      const before = this.#folder.read(() => live.read(id));
      if (before === undefined) return false;
      const after = change(before.record);
      if (after !== undefined) live.insertion(after, before.record)();
      live.forget(id);
      return true;
    });
  }

  #conclude(update: Versioned<SessionRecord>, chain: object, done: boolean): void {
    const { id } = update.record;
    const last = this.#underWay.get(id);
    if (last?.update === update || (!done && last?.chain === chain)) this.#underWay.delete(id);
  }
}
