import { SessionError } from "../errors";
import type { SessionRecord } from "../record/session-record";

type Loaded = SessionRecord | undefined;
type Load = (id: string) => Loaded | Promise<Loaded>;
type Opens = (record: Loaded) => boolean;

/**
 * The first of these records, in the order of the ids, that opens a session. All are asked for in one turn, so that a store can read them together; a store
 * that has its answers ready is asked for no more than it takes.
 *
 * One that can't be read is passed over, and told where no later one opens anything. Where a store fails, who comes first is unknown: that rejects.
 */
export function firstOpening(ids: readonly string[], load: Load, opens: Opens): Loaded | Promise<Loaded> {
  const asked: Promise<Loaded>[] = [];
  for (const id of ids) {
    const answer = answerOf(load, id);
    if (answer instanceof Promise) asked.push(answer);
    else if (asked.length > 0) asked.push(Promise.resolve(answer));
    else if (opens(answer)) return answer;
  }
  return asked.length === 0 ? undefined : firstAnswered(asked, opens);
}

function answerOf(load: Load, id: string): Loaded | Promise<Loaded> {
  try {
    return load(id);
  } catch (error) {
    const failure = error as Error;
    return Promise.reject(failure);
  }
}

async function firstAnswered(asked: readonly Promise<Loaded>[], opens: Opens): Promise<Loaded> {
  // Once one has opened a session, what becomes of the later ones is of no interest.
  for (const answer of asked) answer.catch(() => undefined);
  let unreadable: SessionError | undefined;
  for (const answer of asked) {
    try {
      const record = await answer;
      if (opens(record)) return record;
    } catch (error) {
      if (!(error instanceof SessionError && error.code === "SESSION_UNREADABLE")) throw error;
      unreadable ??= error;
    }
  }
  if (unreadable !== undefined) throw unreadable;
  return undefined;
}
