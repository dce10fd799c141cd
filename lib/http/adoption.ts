import { createHmac } from "node:crypto";
import { SessionError } from "../errors";
import { isPlainObject } from "../options/reader/read-options";
import { derivedKey } from "../record/crypto/secret-keys";
import { within } from "../record/duration";
import { assertRecordFits } from "../record/record-size";
import { dictionary, GUEST_USER, isEnded } from "../record/session-record";
import type { Ending, SessionRecord } from "../record/session-record";
import { kindOf } from "../record/shown-text";
import { sessionIdOf } from "../record/token";
import { finishing, isUnfinished, unfinished } from "../record/unfinished-record";
import type { AdoptedSession, GoneSession } from "../session/adopted-session";
import { newRecord } from "../session/life/session-life";
import { userId } from "../session/session-owner";
import { SessionValues } from "../session/values/session-values";
import { isCreated } from "../stores/store";
import type { Exchange } from "./exchange";
import type { AdoptSettings, HttpSettings } from "./http-settings";
import { loadFirst, opens } from "./record-loading";

/** The longest id of an old session, in characters. */
const MAX_ID_LENGTH = 4096;
const SHAPE =
  "adopt(req) returns { id, data, user, remember, ended }, { id } for a session that is gone, or undefined for none";

/** The session that took over another library's: `record` is undefined where none is live. */
export interface Adoption {
  readonly token: string;
  readonly record: SessionRecord | undefined;
  /** Whether its cookie survives the browser; undefined where this request was not told. */
  readonly remember?: boolean;
}

/**
 * Asks the app for another library's session, and takes it over. Our token is derived from the old session's id, so of
 * requests that take over the same one at once, the store lets one create ours, and the others find it.
 */
export async function adoptSession(exchange: Exchange, adopt: AdoptSettings): Promise<Adoption | undefined> {
  const { settings, req } = exchange;
  const given: unknown = await answered(adopt, "adopt", () => adopt.ask(req));
  if (given === undefined) return undefined;
  const old = checked(given);
  const token = tokenOf(adopt.secret, settings.project, old.id);
  if (old.data === undefined) {
    const known = await loadFirst(settings, [token]);
    return { token, record: opens(settings, known) ? known : undefined };
  }
  const owner = old.user === undefined || old.user === null ? GUEST_USER : userId(old.user, "adopt: user");
  const data = encoded(old.data);
  const { remember = false } = old;
  const record = newRecord(settings, { id: sessionIdOf(token), owner, data, origin: exchange.origin(), remember });
  assertRecordFits(record, settings.maxBytes);
  const ours = await madeOrFound(settings, record);
  if (old.ended !== undefined) await answered(adopt, "ended() of adopt", old.ended.bind(old));
  return { token, record: ours, remember };
}

/**
 * Our session for the old one, made by this request or by another; undefined where it is over already. It is made in
 * two steps, and only in the second it can open. Between them this looks whether the session has ended meanwhile: its
 * id is free again then, and the first step succeeds. (P2)
 */
async function madeOrFound(settings: HttpSettings, record: SessionRecord): Promise<SessionRecord | undefined> {
  const { writer, now, keepEndedMs, onCreated, afterLogin } = settings;
  const { id } = record;
  // Most requests that come too late are stopped here, before they write anything.
  if ((await endingOf(settings, id)) !== undefined) return undefined;
  const begun = unfinished(record, keepEndedMs);
  const isOurs = await isCreated(settings.writer, begun);
  const stored = isOurs ? begun : await writer.load(id);
  if (stored === undefined || !isUnfinished(stored)) return opens(settings, stored) ? stored : undefined;
  const ending = await endingOf(settings, id);
  if (ending !== undefined) {
    await writer.end(id, ending);
    return undefined;
  }
  if (!(await writer.finish(stored, finishing(stored, now(), keepEndedMs)))) return undefined;
  // Where the record was ended and begun anew before it could be finished, the new one is still unfinished.
  const finished = await writer.load(id);
  if (!opens(settings, finished)) return undefined;
  if (isOurs) onCreated(finished);
  if (finished.owner !== GUEST_USER) await afterLogin?.(finished, "now");
  return finished;
}

/** How our session ended, where that is remembered. */
async function endingOf({ writer }: HttpSettings, id: string): Promise<Ending | undefined> {
  for await (const record of writer.find({ state: "ended", id })) if (isEnded(record)) return record;
  return undefined;
}

/** 32 bytes that only the secret's holder can make from the id, in the form of a token. */
function tokenOf(secret: string, project: string, id: string): string {
  return createHmac("sha256", derivedKey(secret, "adopt")).update(`${project}\n${id}`).digest("base64url");
}

/** The stored form of the data; `SESSION_VALUE` names the path of what can't be kept. */
function encoded(data: Readonly<Record<string, unknown>>): SessionRecord["data"] {
  const values = new SessionValues();
  for (const [key, value] of Object.entries(data)) values.set(key, value);
  return values.delta()?.set ?? dictionary();
}

/** What a callback of the app returns, within `storeTimeout`. Where it fails, so does the request. */
async function answered(adopt: AdoptSettings, what: string, work: () => unknown): Promise<unknown> {
  const timedOut = () => {
    throw new SessionError(
      "SESSION_STORE_TIMEOUT",
      `The option adopt: ${what} did not answer within ${adopt.timeoutMs} ms (storeTimeout).`,
    );
  };
  const asked = (async () => {
    try {
      return await work();
    } catch (cause) {
      throw new SessionError("SESSION_STORE", `The option adopt: ${what} failed; the error's cause says why.`, {
        cause,
      });
    }
  })();
  return within(adopt.timeoutMs, asked, timedOut);
}

function checked(given: unknown): AdoptedSession | GoneSession {
  const { id, data, remember, ended, user } = Object(given) as Partial<Record<keyof AdoptedSession, unknown>>;
  if (!isPlainObject(given)) return refuse(kindOf(given));
  if (typeof id !== "string" || id === "" || id.length > MAX_ID_LENGTH) {
    return refuse(`an id that is not a string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  const isGone = data === undefined && [user, remember, ended].every((value) => value === undefined);
  if (!isGone && !isPlainObject(data)) return refuse("data that are not a plain object");
  if (remember !== undefined && typeof remember !== "boolean") return refuse("a remember that is not a boolean");
  if (ended !== undefined && typeof ended !== "function") return refuse("an ended that is not a function");
  return given as unknown as AdoptedSession | GoneSession;
}

function refuse(what: string): never {
  throw new SessionError("SESSION_ARGUMENT", `${SHAPE}; it returned ${what}.`);
}
