import { dictionary } from "../record/session-record";
import { MAX_OPEN_PAGES, openPagesOf, pastLease } from "../record/open-pages";
import type { SessionDelta } from "../record/session-delta";
import type { PageRecord, SessionRecord } from "../record/session-record";
import type { PageNews } from "./page-request";

/** A page whose record is younger than this is not written again, in milliseconds: a page costs a write a minute. */
const FRESH_MS = 50_000;

/** How many pages that were left are remembered. */
const MAX_LEFT = 1_000;

/** The pages that said good-bye to this instance lately: what a page said before may be handled after it. */
export class LeftPages {
  readonly #left = new Set<string>();

  add({ id }: SessionRecord, page: string): void {
    const [oldest] = this.#left;
    if (this.#left.size >= MAX_LEFT && oldest !== undefined) this.#left.delete(oldest);
    this.#left.add(`${id} ${page}`);
  }

  has({ id }: SessionRecord, page: string): boolean {
    return this.#left.has(`${id} ${page}`);
  }
}

/**
 * The change that counts a page as open at `now`; undefined where that is written already, or as many pages are counted
 * as can be.
 */
export function seenPage(record: SessionRecord, { id, path, title }: PageNews, now: number): SessionDelta | undefined {
  const open = openPagesOf(record.pages, now);
  const before = open.find((page) => page.id === id);
  if (before === undefined && open.length >= MAX_OPEN_PAGES) return undefined;
  if (before !== undefined && now - before.seenAt < FRESH_MS) return undefined;
  const set = dictionary<PageRecord>();
  set[id] = { path, title, openedAt: before?.openedAt ?? now, seenAt: now };
  return { pages: { set, remove: pastLease(record.pages, now).filter((key) => key !== id) } };
}

/** For how long it has been written that this page is open, in milliseconds: its lease counts from then. */
export function ageOf(record: SessionRecord, id: string, now: number): number {
  const page = record.pages[id];
  return page === undefined ? 0 : Math.max(0, now - page.seenAt);
}

/** The change that counts it as closed; undefined where it was not counted. */
export function leftPage(record: SessionRecord, id: string): SessionDelta | undefined {
  return record.pages[id] === undefined ? undefined : { pages: { remove: [id] } };
}
