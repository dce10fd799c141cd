import { randomBytes } from "node:crypto";
import { SessionError } from "../errors";
import { dictionary } from "../record/session-record";
import { MESSAGE_PREFIX, openPagesOf, pastLease } from "../record/open-pages";
import { isSessionId } from "../record/token";
import { isEnded } from "../record/session-record";
import type { PageRecord, SessionRecord } from "../record/session-record";
import { shownValue } from "../record/shown-text";
import type { PagesHost } from "./pages-host";

/** The longest message, as JSON in UTF-8. */
const MAX_MESSAGE_BYTES = 16 * 1024;
/** The most messages of one session that wait to be fetched. */
const MAX_WAITING = 20;
const EVENT_NAME = /^[\w.:-]{1,64}$/;
/** Sorts before the keys of all messages. */
export const BEFORE_MESSAGES = MESSAGE_PREFIX;
/** How many digits of a key, to the base of 36, say when its message was sent, and which one of this process it is. */
const KEY_TIME_DIGITS = 9;
const KEY_COUNT_DIGITS = 7;

let sentCount = 0;

/** Whose pages a message is for. */
export type MessageTarget =
  | string
  | {
      /** The user id: all open pages of this user's sessions. */
      readonly user: string;
    };

/** A message as pages get it. */
export interface PageMessage {
  readonly key: string;
  readonly event: string;
  /** JSON. */
  readonly data: string;
}

/**
 * Sends a message to the open pages of a session, or of a user's sessions. Resolves to how many sessions. See
 * `SessionPages.send`.
 */
export async function sendMessage(
  host: PagesHost,
  target: MessageTarget,
  event: string,
  data: unknown,
): Promise<number> {
  if (typeof event !== "string" || !EVENT_NAME.test(event)) {
    throw refused(`takes an event's name of up to 64 letters, digits and _.:-, not ${shownValue(event)}`);
  }
  const text = jsonOf(data);
  if (typeof target === "string" && isSessionId(target)) {
    const record = await host.load(target);
    if (record === undefined) {
      throw new SessionError("SESSION_NOT_FOUND", `There is no live session ${target}; nothing was sent.`);
    }
    return (await sendTo(host, record, event, text)) ? 1 : 0;
  }
  let sent = 0;
  for await (const record of host.find({ owner: userOf(target), state: "live" })) {
    if (!isEnded(record) && (await sendTo(host, record, event, text))) sent += 1;
  }
  return sent;
}

/** Whether the session has open pages, which will get it. */
async function sendTo(host: PagesHost, record: SessionRecord, event: string, text: string): Promise<boolean> {
  const at = host.now();
  if (openPagesOf(record.pages, at).length === 0) return false;
  const waiting = messagesIn(record.pages);
  const tooMany = waiting.slice(0, Math.max(0, waiting.length + 1 - MAX_WAITING)).map(({ key }) => key);
  const key = keyAfter(waiting.at(-1)?.key, at);
  const set = dictionary<PageRecord>();
  set[key] = { path: event, title: text, openedAt: at, seenAt: at };
  const remove = [...new Set([...pastLease(record.pages, at), ...tooMany])];
  const isLive = await host.write(record, { pages: { set, remove } });
  if (isLive) await host.watch.checkOne(record.id);
  return isLive;
}

/** A key that sorts after the last one, even where the clock of the instance which sent that was ahead. */
function keyAfter(last: string | undefined, now: number): string {
  const lastAt = last === undefined ? 0 : Number.parseInt(last.slice(1, 1 + KEY_TIME_DIGITS), 36);
  sentCount += 1;
  const count = sentCount.toString(36).padStart(KEY_COUNT_DIGITS, "0");
  const at = Math.max(now, lastAt + 1)
    .toString(36)
    .padStart(KEY_TIME_DIGITS, "0");
  return MESSAGE_PREFIX + at + count + randomBytes(6).toString("base64url");
}

/** The messages that wait in a session, in the order in which they were sent. */
export function messagesIn(pages: Readonly<Record<string, PageRecord>>): PageMessage[] {
  const keys = Object.keys(pages).filter((key) => key.startsWith(MESSAGE_PREFIX));
  return keys.sort().map((key) => ({ key, event: pages[key]?.path ?? "", data: pages[key]?.title ?? "null" }));
}

function jsonOf(data: unknown): string {
  let text: string | undefined;
  try {
    text = (JSON.stringify as (value: unknown) => string | undefined)(data ?? null);
  } catch (cause) {
    throw refused("takes data that JSON can hold: no cycle, and no bigint", cause);
  }
  if (text === undefined) throw refused("takes data that JSON can hold, not a function or a symbol");
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_MESSAGE_BYTES) return text;
  throw refused(`takes up to ${MAX_MESSAGE_BYTES} bytes of JSON, and this is ${bytes}; send where to fetch it instead`);
}

function userOf(target: unknown): string {
  if (typeof target === "object" && target !== null && "user" in target) {
    const { user } = target;
    if (typeof user === "string" && user !== "") return user;
  }
  throw refused('takes a session\'s id, or { user: "alice" }');
}

function refused(what: string, cause?: unknown): SessionError {
  return new SessionError("SESSION_ARGUMENT", `pages.send(target, event, data) ${what}. Nothing was sent.`, { cause });
}
