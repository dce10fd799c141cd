import { isOtherClient } from "./other-client";
import type { PageRecord } from "./session-record";

/** A page that has not said for this long that it is open counts as closed, in milliseconds. */
export const PAGE_LEASE_MS = 90_000;

/** The most pages that a session counts at a time. */
export const MAX_OPEN_PAGES = 50;

/** Messages to pages travel in the same map, under keys that begin with this: no page id has it. */
export const MESSAGE_PREFIX = "!";

/** The pages that are open at `now`, in the order in which they were opened. */
export function openPagesOf(
  pages: Readonly<Record<string, PageRecord>>,
  now: number,
): (PageRecord & { readonly id: string })[] {
  const open: (PageRecord & { readonly id: string })[] = [];
  for (const id of Object.keys(pages)) {
    const page = pages[id];
    if (page !== undefined && isOpen(id, page, now)) open.push({ id, ...page });
  }
  return open.length < 2 ? open : open.sort((a, b) => a.openedAt - b.openedAt);
}

/** The keys of what is past its lease: pages that went without a word, and messages that were told. */
export function pastLease(pages: Readonly<Record<string, PageRecord>>, now: number): string[] {
  return Object.keys(pages).filter((id) => !isOtherClient(id) && !isInLease(pages[id], now));
}

function isOpen(id: string, page: PageRecord, now: number): boolean {
  return !id.startsWith(MESSAGE_PREFIX) && !isOtherClient(id) && isInLease(page, now);
}

function isInLease(page: PageRecord | undefined, now: number): boolean {
  return page !== undefined && now - page.seenAt < PAGE_LEASE_MS;
}
