import type { SessionGroup } from "../record/session-group";

/** An index of when sessions expire is this coarse, in milliseconds, so that most touches leave it as it is. */
const BUCKET_MS = 10 * 60_000;
/** How many characters `bucketOf` returns. */
const BUCKET_DIGITS = 6;
const LAST_BUCKET = 36 ** BUCKET_DIGITS - 1;
/** What is in a key of each name, so that no key is too long for a store: 64 characters. */
const NAME_LENGTH = 64;
const SIGNED_IN = "user";
const GUEST = "guest";

/** A group as text: the same for the same group, and no text of one group begins that of another. */
export function groupKey({ project, scope, isGuest }: SessionGroup): string {
  return `${encoded(project)}|${encoded(scope)}|${isGuest ? GUEST : SIGNED_IN}|`;
}

/** The group of a text that begins as `groupKey` made it; undefined where none does. */
export function groupOfKey(key: string): SessionGroup | undefined {
  const [project, scope, who, rest] = key.split("|", 4);
  if (project === undefined || scope === undefined || rest === undefined) return undefined;
  return { project: decodeURIComponent(project), scope: decodeURIComponent(scope), isGuest: who === GUEST };
}

/** The ten minutes that an instant lies in (milliseconds since the epoch), counted from the epoch. */
export function bucketNumberOf(at: number): number {
  return Math.min(Math.max(Math.floor(at / BUCKET_MS), 0), LAST_BUCKET);
}

/** The same as text that sorts in the order of time. */
export function bucketOf(at: number): string {
  return bucketNumberOf(at).toString(36).padStart(BUCKET_DIGITS, "0");
}

/** Comes after every key that begins with the text that it is put behind. */
export const AFTER_ALL = "\u{10ffff}";

function encoded(name: string): string {
  return encodeURIComponent(name.slice(0, NAME_LENGTH).toWellFormed());
}
