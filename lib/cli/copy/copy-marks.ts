import { createHash } from "node:crypto";
import { dictionary } from "../../record/session-record";
import type { SessionRecord } from "../../record/session-record";

/**
 * What a copied record keeps of its copy, as counters. They are written in one step with what they describe, so that a
 * copy that was killed, and started again anywhere, still knows what it has done.
 */
export interface CopyMarks {
  /** `contentMark` of what was copied. */
  readonly content: number;
  /** Until when the source keeps the record, unless it ends it. */
  readonly until: number;
  /** The number of the source that it was first copied from. */
  readonly lineage: number;
}

const COUNTERS = { content: "copiedContent", until: "copiedUntil", lineage: "copiedFrom" } as const;

/** The marks of a record; undefined where it was never copied into its store. */
export function marksOf({ counters }: Pick<SessionRecord, "counters">): CopyMarks | undefined {
  const [content, until, lineage] = [counters[COUNTERS.content], counters[COUNTERS.until], counters[COUNTERS.lineage]];
  if (content === undefined || until === undefined || lineage === undefined) return undefined;
  return { content, until, lineage };
}

/** The counters of a record's app, with these marks and no others. */
export function markedCounters(
  { counters }: Pick<SessionRecord, "counters">,
  marks: CopyMarks | undefined,
): Record<string, number> {
  const all = Object.assign(dictionary<number>(), counters);
  for (const name of Object.values(COUNTERS)) Reflect.deleteProperty(all, name);
  if (marks === undefined) return all;
  const { content, until, lineage } = marks;
  return Object.assign(all, {
    [COUNTERS.content]: content,
    // Counters are added to, and Infinity can't be.
    [COUNTERS.until]: Math.min(until, Number.MAX_SAFE_INTEGER),
    [COUNTERS.lineage]: lineage,
  });
}

/** How many bytes a number of a mark has: as many as every store counts exactly. */
export const MARK_BYTES = 6;

/** A digest of what apps store in a session: all that a touch does not write. */
export function contentMark({ owner, data, attributes, keys, pages }: SessionRecord): number {
  const text = JSON.stringify([owner, data, attributes, keys, pages].map(canonical));
  return createHash("sha256").update(text).digest().readUIntBE(0, MARK_BYTES);
}

/** The same for the same content, whatever classes a store reads it into and in whatever order. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return [Buffer.from(value).toString("base64")];
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([key, inner]) => [key, canonical(inner)]);
}
