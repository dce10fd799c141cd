import { dictionary } from "./session-record";
import type { SessionDelta } from "./session-delta";
import type { PageRecord, SessionRecord } from "./session-record";

/** Who sent a request: the address, and what the browser calls itself. */
export type Client = Pick<SessionRecord, "remoteAddress" | "userAgent">;

/** A client that used a session, and that is not the one which the session was created with. */
export interface OtherClient extends Client {
  /** When a client was first seen that is another one. */
  readonly since: number;
  /** When this one was first seen. */
  readonly seenAt: number;
}

/** It is kept among a record's pages, under a key that no page id and no message has. */
const KEY = "@";

/** The latest client that used the session and is not the one it was created with; undefined for none. */
export function otherClient({ pages }: Pick<SessionRecord, "pages">): OtherClient | undefined {
  const kept = pages[KEY];
  return kept && { remoteAddress: kept.path, userAgent: kept.title, since: kept.openedAt, seenAt: kept.seenAt };
}

/** Whether this key of a record's pages is that of another client. */
export function isOtherClient(key: string): boolean {
  return key === KEY;
}

/** What to write for a request of this client; undefined where the record has it, or was created with it. */
export function clientChange(record: SessionRecord, client: Client, now: number): SessionDelta["pages"] {
  if (isSame(record, client) || isUnknown(record)) return undefined;
  const known = otherClient(record);
  if (known !== undefined && isSame(known, client)) return undefined;
  const set = dictionary<PageRecord>();
  set[KEY] = { path: client.remoteAddress, title: client.userAgent, openedAt: known?.since ?? now, seenAt: now };
  return { set };
}

/** A session that code created, and no request, has no first client to compare with. */
function isUnknown({ remoteAddress, userAgent }: Client): boolean {
  return remoteAddress === "" && userAgent === "";
}

function isSame(one: Client, other: Client): boolean {
  return one.remoteAddress === other.remoteAddress && one.userAgent === other.userAgent;
}
