import { isEnded } from "../../record/session-record";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import type { SessionStore } from "../../stores/store";
import { ReadAhead } from "./read-ahead";

/** What a store has of one id; both of them where it changed sides between two reads, or where an app reused the id. */
export interface Copies {
  readonly live?: SessionRecord;
  readonly ended?: EndedRecord;
}

/** One session as it was found in two stores. */
export interface Pair {
  readonly id: string;
  readonly source: Copies;
  readonly target: Copies;
}

type Finder = Pick<SessionStore, "find">;

/** Streams what both stores have, id by id, in the order of the ids' bytes, without holding more than a page or two of each. */
export async function* mergedRecords(source: Finder, target: Finder): AsyncGenerator<Pair> {
  const iterators = [
    source.find({ state: "live" }),
    source.find({ state: "ended" }),
    target.find({ state: "live" }),
    target.find({ state: "ended" }),
  ].map((records) => new ReadAhead(records));
  try {
    const heads = await Promise.all(iterators.map(nextOf));
    for (;;) {
      const ids = heads.flatMap((head) => (head === undefined ? [] : [head.id]));
      const id = ids.reduce<string | undefined>(
        (least, other) => (least !== undefined && least < other ? least : other),
        undefined,
      );
      if (id === undefined) return;
      const [live, ended, targetLive, targetEnded] = heads.map((head) => (head?.id === id ? head : undefined));
      yield { id, source: copiesOf(live, ended), target: copiesOf(targetLive, targetEnded) };
      for (const [at, iterator] of iterators.entries()) {
        if (heads[at]?.id === id) heads[at] = await nextOf(iterator);
      }
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return()));
  }
}

type Found = SessionRecord | EndedRecord;

async function nextOf(iterator: AsyncIterator<Found>): Promise<Found | undefined> {
  const next = await iterator.next();
  return next.done === true ? undefined : next.value;
}

function copiesOf(...records: readonly (Found | undefined)[]): Copies {
  const copies: { live?: SessionRecord; ended?: EndedRecord } = {};
  for (const record of records) {
    if (record === undefined) continue;
    if (isEnded(record)) copies.ended = record;
    else copies.live = record;
  }
  return copies;
}
