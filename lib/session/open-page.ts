import { openPagesOf } from "../record/open-pages";
import type { SessionRecord } from "../record/session-record";

/** A page of the session that is open in a browser. */
export interface OpenPage {
  /** Random, one for each page that was loaded. */
  readonly id: string;
  /** Its path when it last said that it is open, without the query. */
  readonly path: string;
  /** The title of its document, up to 200 characters. */
  readonly title: string;
  /** When the page was opened. */
  readonly openedAt: Date;
  /** When it last said that it is open; it does so once a minute. */
  readonly seenAt: Date;
}

/** The pages of a record that are open at `now`, as the app sees them, in the order in which they were opened. */
export function openPages(record: Pick<SessionRecord, "pages"> | undefined, now: number): readonly OpenPage[] {
  if (record === undefined) return [];
  return openPagesOf(record.pages, now).map(({ id, path, title, openedAt, seenAt }) => {
    return { id, path, title, openedAt: new Date(openedAt), seenAt: new Date(seenAt) };
  });
}
