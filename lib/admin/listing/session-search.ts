import { GUEST_USER } from "../../record/session-record";
import type { SessionFilter } from "./session-filter";
import { cursorText, listedStates } from "./session-reader";
import type { AnyRecord, SessionReader, Step } from "./session-reader";

/** How many characters of an id are looked up by the order of ids; fewer would name too many of them. */
const LEAST_OF_ID = 4;
const ID_LENGTH = 43;
const ID_START = new RegExp(`^[\\w-]{${LEAST_OF_ID},${ID_LENGTH}}$`);
/** The character of base64url that comes first in the order of bytes. */
const FIRST_CHARACTER = "-";

/** Which sessions to look for. */
export interface SessionSearch extends Omit<SessionFilter, "limit"> {
  /** What the user, the id or the address begins with; upper and lower case count as the same in the first and last. */
  readonly search?: string;
}

/**
 * The ways through the store that find what is searched for. Without `search` that is one. With it, a whole user name
 * and the start of an id are looked up by index first, however many sessions there are; other starts are looked for
 * among all sessions, as far as the caller follows. A session may come on several ways.
 */
export function waysTo(reader: SessionReader, { search, ...filter }: SessionSearch): AsyncIterable<Step>[] {
  if (search === undefined) return [reader.walk(filter)];
  const isFound = (record: AnyRecord) => begins(record, search);
  const throughAll = found(reader.walk(filter), isFound);
  // What was looked up is on the first part of a listing, and not on the others again.
  if (filter.after !== undefined) return [throughAll];
  const ways: AsyncIterable<Step>[] = [];
  if (filter.username === undefined) ways.push(reader.walk({ ...filter, username: search }));
  if (ID_START.test(search)) {
    const id = search.slice(0, ID_LENGTH - 1).padEnd(ID_LENGTH, FIRST_CHARACTER);
    for (const state of listedStates(filter)) {
      ways.push(whileBegun(reader.walk({ ...filter, after: cursorText({ state, id }) }), search));
    }
  }
  return [...ways, throughAll];
}

function begins({ id, owner, remoteAddress }: AnyRecord, search: string): boolean {
  const start = search.toLowerCase();
  const isUser = owner !== GUEST_USER && owner.toLowerCase().startsWith(start);
  return isUser || id.startsWith(search) || remoteAddress.toLowerCase().startsWith(start);
}

async function* found(steps: AsyncIterable<Step>, isFound: (record: AnyRecord) => boolean): AsyncGenerator<Step> {
  for await (const step of steps) yield step.looked > 0 || isFound(step.record) ? step : { ...step, looked: 1 };
}

/** The steps as long as the ids begin so: stores are read in the order of ids. */
async function* whileBegun(steps: AsyncIterable<Step>, start: string): AsyncGenerator<Step> {
  for await (const step of steps) {
    if (!step.record.id.startsWith(start)) return;
    yield step;
  }
}
