import { createHmac } from "node:crypto";
import { SessionError } from "../errors";
import { isPlainObject } from "../options/reader/read-options";
import { derivedKey } from "../record/crypto/secret-keys";
import { within } from "../record/duration";
import { assertRecordFits } from "../record/record-size";
import { dictionary, GUEST_USER } from "../record/session-record";
import type { SessionRecord } from "../record/session-record";
import { kindOf } from "../record/shown-text";
import { sessionIdOf } from "../record/token";
import type { AdoptedSession } from "../session/adopted-session";
import { newRecord } from "../session/life/session-life";
import { userId } from "../session/session-owner";
import { SessionValues } from "../session/values/session-values";
import type { Exchange } from "./exchange";
import type { AdoptSettings, HttpSettings } from "./http-settings";
import { opens } from "./record-loading";

/** The longest id of an old session, in characters. */
const MAX_ID_LENGTH = 4096;
const SHAPE = "adopt(req) returns { id, data, user, ended }, or undefined for no session";

/** The session that took over another library's: `record` is undefined where that session of ours is over already. */
export interface Adoption {
  readonly token: string;
  readonly record: SessionRecord | undefined;
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
  const owner = old.user === undefined || old.user === null ? GUEST_USER : userId(old.user, "adopt: user");
  const data = encoded(old.data);
  const id = sessionIdOf(token);
  const record = newRecord(settings, { id, owner, data, origin: exchange.origin(), remember: false });
  assertRecordFits(record, settings.maxBytes);
  const ours = await createdOrFound(settings, record);
  if (old.ended !== undefined) await answered(adopt, "ended() of adopt", old.ended.bind(old));
  return { token, record: ours };
}

/** Our session for the old one: created by this request or by another; undefined where it is over already. */
async function createdOrFound(settings: HttpSettings, record: SessionRecord): Promise<SessionRecord | undefined> {
  const { writer, onCreated, afterLogin } = settings;
  const { id } = record;
  for await (const _ended of writer.find({ state: "ended", id })) return undefined;
  try {
    await writer.create(record);
  } catch (error) {
    if (!(error instanceof SessionError && error.code === "SESSION_EXISTS")) throw error;
    const found = await writer.load(id);
    return opens(settings, found) ? found : undefined;
  }
  onCreated(record);
  if (record.owner !== GUEST_USER) await afterLogin?.(record, "now");
  return record;
}

/** 32 bytes that only the secret's holder can make from the id, in the form of a token. */
function tokenOf(secret: string, project: string, id: string): string {
  return createHmac("sha256", derivedKey(secret, "adopt")).update(`${project}\n${id}`).digest("base64url");
}

/** The stored form of the data; `SESSION_VALUE` names the path of what can't be kept. */
function encoded(data: AdoptedSession["data"]): SessionRecord["data"] {
  const values = new SessionValues();
  for (const [key, value] of Object.entries(data)) values.set(key, value);
  return values.delta()?.set ?? dictionary();
}

/** What a callback of the app answers, within `storeTimeout`. A failure of it fails the request. */
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

function checked(given: unknown): AdoptedSession {
  const { id, data, ended } = Object(given) as Partial<Record<keyof AdoptedSession, unknown>>;
  if (!isPlainObject(given)) return refuse(kindOf(given));
  if (typeof id !== "string" || id === "" || id.length > MAX_ID_LENGTH) {
    return refuse(`an id that is no string of 1 to ${MAX_ID_LENGTH} characters`);
  }
  if (!isPlainObject(data)) return refuse("data that are no plain object");
  if (ended !== undefined && typeof ended !== "function") return refuse("an ended that is no function");
  return given as unknown as AdoptedSession;
}

function refuse(what: string): never {
  throw new SessionError("SESSION_ARGUMENT", `${SHAPE}; it returned ${what}.`);
}
