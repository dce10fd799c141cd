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
  readonly packed: Buffer;
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
    const { live } = this.#folder;
    const underWay = this.#underWay.get(id);
    if (underWay === undefined) return this.#folder.read(() => live.read(id));
    return { ...live.unpack(id, underWay.packed), underWay };
  }

  /** Writes `record` over `base`; false, and nothing written, where that is not what is stored any more. */
  async rewrite(base: Latest, record: SessionRecord): Promise<boolean> {
    const { live } = this.#folder;
    const version = nextVersion();
    const packed = live.pack(record, version);
    const written = this.#folder.committed(() => live.rewrite(base, record, packed, version));
    const mine: UpdateUnderWay = { packed, written, chain: base.underWay?.chain ?? {} };
    this.#underWay.set(record.id, mine);
    let done = false;
    try {
      done = await written;
    } finally {
      const last = this.#underWay.get(record.id);
      if (last === mine || (!done && last?.chain === mine.chain)) this.#underWay.delete(record.id);
    }
    return done;
  }
}
