import { SessionError, isUnreadable } from "../errors";
import { CLIENTLESS_SCOPE, NewerFormatError } from "../record/session-record";
import { isExpired, REFRESH_HEADER, touchAt } from "../record/expiry";
import { sessionIdOf } from "../record/token";
import { isUnfinished } from "../record/unfinished-record";
import type { SessionRecord } from "../record/session-record";
import type { Exchange } from "./exchange";
import type { HttpSettings } from "./http-settings";

type Loaded = SessionRecord | undefined;
type Answer = Loaded | Promise<Loaded>;

/**
 * The record of the first of these tokens that opens a session; of a single token, its record even if that opens none.
 * A promise only where the store returns one.
 */
export function loadFirst(settings: HttpSettings, tokens: readonly string[]): Answer {
  const [token] = tokens;
  if (token === undefined) return undefined;
  return tokens.length === 1 ? readable(settings, sessionIdOf(token)) : firstOpening(settings, tokens);
}

/** Whether a browser may use this record. */
export function opens({ now, project }: HttpSettings, record: Loaded): record is SessionRecord {
  return (
    record?.project === project &&
    record.scope !== CLIENTLESS_SCOPE &&
    !isExpired(record, now()) &&
    !isUnfinished(record)
  );
}

/** Renews `lastSeenAt` beside the handler; nothing waits for it. (P4) */
export function touchIfDue(exchange: Exchange, record: SessionRecord): void {
  const { settings, req } = exchange;
  const { now, touchIntervalMs, touching, keepEndedMs, writer, traffic, onError } = settings;
  const seenAt = now();
  if (seenAt - record.lastSeenAt < touchIntervalMs || touching.has(record.id)) return;
  if (req.headers[REFRESH_HEADER] !== undefined || settings.isNoActivity?.(req) === true) return;
  touching.add(record.id);
  traffic.count(exchange, req.socket, record.id);
  writer
    .write(record, { ...touchAt(record, seenAt, keepEndedMs), ...exchange.takeAlong(record) })
    .catch(onError)
    .finally(() => touching.delete(record.id));
}

/** The record of one id, where it can be read. */
function readable(settings: HttpSettings, id: string): Answer {
  try {
    const answer = settings.writer.load(id);
    return answer instanceof Promise ? answer.catch((error: unknown) => passOver(settings, error)) : answer;
  } catch (error) {
    return passOver(settings, error);
  }
}

/**
 * A damaged record opens nothing, so that its visitor can sign in anew. One of a newer format is not damaged: another
 * instance can read it.
 */
function passOver({ onError }: HttpSettings, error: unknown): Loaded {
  if (!isUnreadable(error) || error instanceof NewerFormatError) throw error;
  onError(error);
  return undefined;
}

/**
 * The record of the first token that opens a session. All are loaded in one turn of the event loop, so that a store can
 * read them together; from a store that returns records without a promise, no more are loaded than needed.
 *
 * A record that can't be read is passed over; its error is thrown where no later one opens a session. Where a store
 * fails, it is unknown which record would be the first: that rejects.
 */
function firstOpening(settings: HttpSettings, tokens: readonly string[]): Answer {
  const asked: Promise<Loaded>[] = [];
  for (const token of tokens) {
    const answer = settled(() => readable(settings, sessionIdOf(token)));
    if (answer instanceof Promise) asked.push(answer);
    else if (asked.length > 0) asked.push(Promise.resolve(answer));
    else if (opens(settings, answer)) return answer;
  }
  return asked.length === 0 ? undefined : firstAnswered(settings, asked);
}

function settled(load: () => Answer): Answer {
  try {
    return load();
  } catch (error) {
    const failure = error as Error;
    return Promise.reject(failure);
  }
}

async function firstAnswered(settings: HttpSettings, asked: readonly Promise<Loaded>[]): Promise<Loaded> {
  // Once one has opened a session, a failure to load a later one doesn't matter.
  for (const answer of asked) answer.catch(() => undefined);
  let unreadable: SessionError | undefined;
  for (const answer of asked) {
    try {
      const record = await answer;
      if (opens(settings, record)) return record;
    } catch (error) {
      if (!(error instanceof SessionError && error.code === "SESSION_UNREADABLE")) throw error;
      unreadable ??= error;
    }
  }
  if (unreadable !== undefined) throw unreadable;
  return undefined;
}
