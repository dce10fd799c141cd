import { isUnreadable } from "../../errors";
import type { EndedRecord, SessionRecord } from "../../record/session-record";
import { OWNER_HEADERS_AT_ONCE } from "../store";
import type { FindQuery } from "../store";
import { endedRecordOf, storedRecordOf, textOf } from "./record-rows";
import type { Row } from "./record-rows";
import { columnsOf } from "./statements";

/** Rows that match, and perhaps the last one that does not. */
export interface RowPage {
  readonly rows: readonly Row[];
  /** How many rows were looked at. */
  readonly lookedAt: number;
}

/** How many rows a search looks at in one statement: at first, at most, and at most where it reads whole records. */
const FIRST_ROWS = 50;
const MOST_ROWS = 1_000;
const MOST_WHOLE_ROWS = 250;
/** About how many characters a page holds at most. */
const PAGE_LENGTH = 2 ** 20;

/**
 * The pages of a search, one after the other. `read` is given the id from after which on a page is read, and how many
 * rows may be looked at.
 */
export async function* pagesOf(
  query: FindQuery,
  read: (last: string, limit: number) => Promise<readonly Row[]>,
): AsyncGenerator<RowPage> {
  const columns = columnsOf(query).length;
  const isWhole = query.state === "live" && query.fields === undefined;
  const most = isWhole ? MOST_WHOLE_ROWS : MOST_ROWS;
  const first = query.owner !== undefined && query.fields === "header" ? OWNER_HEADERS_AT_ONCE : FIRST_ROWS;
  let limit = Math.min(Math.max(query.limit ?? first, 1), first);
  let last = query.after ?? "";
  for (;;) {
    const rows = await read(last, limit);
    const final = rows.at(-1);
    // A search for more than the index knows has two columns more: whether the row matches, and how many were looked at.
    const isFiltered = final !== undefined && final.length > columns;
    const lookedAt = isFiltered ? Number(final.at(-1)) : rows.length;
    yield { rows: isFiltered ? rows.map((row) => row.slice(0, columns)) : rows, lookedAt };
    if (lookedAt < limit || query.id !== undefined) return;
    last = textOf(final?.[0]);
    limit = Math.max(1, Math.min(limit * 2, most, fitting(rows)));
  }
}

/** How many rows such as these fit in a page. */
function fitting(rows: readonly Row[]): number {
  const length = rows.reduce((sum, row) => row.reduce((before, text) => before + (text?.length ?? 0), sum), 0);
  return Math.floor((PAGE_LENGTH * rows.length) / Math.max(length, 1));
}

/** The record of a row; undefined where it can't be read. */
export function soundRecordOf(row: Row, { state }: FindQuery): SessionRecord | EndedRecord | undefined {
  try {
    return state === "ended" ? endedRecordOf(row) : storedRecordOf(row).record;
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}
