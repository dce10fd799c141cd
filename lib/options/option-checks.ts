import type { IncomingMessage } from "node:http";
import { kindOf } from "../record/shown-text";
import { CLIENTLESS_SCOPE, isProjectName } from "../record/session-record";
import { clearScheduleRoom } from "../rooms-on-demand";
import type { SessionStore } from "../stores/store";
import { instanceOr } from "./reader/option-kinds";
import { RefusedOptions, refuse } from "./reader/read-options";
import type { ReadOption } from "./reader/read-options";

const STORE_METHODS = ["load", "create", "update", "mutate", "replace", "end", "find", "tally", "clear", "close"];
const OURS = 'one of coatcheck\'s, such as new SqliteStore({ path: "./.sessions" }), or your own SessionStore';

/** The option `store`; undefined where it was not given. */
export function aStore(store: unknown, option: string): SessionStore | undefined {
  if (store === undefined) return undefined;
  const isMissing = (method: string) => typeof (store as Record<string, unknown>)[method] !== "function";
  if (typeof store !== "object" || store === null) {
    if (typeof store === "function") return refuse(option, store, instanceOr(store, `give ${OURS}`));
    // The value is not repeated: an address may contain a password.
    throw new RefusedOptions([`Option ${option} can't be ${kindOf(store)}; give ${OURS}.`]);
  }
  if (store instanceof Promise) return refuse(option, store, "it is a promise: await it");
  const missing = STORE_METHODS.filter(isMissing);
  if (missing.length === 0) return store as SessionStore;
  if (!["get", "set", "destroy"].some(isMissing)) {
    return refuse(option, store, `it is a store for express-session, which can't end sessions for good; give ${OURS}`);
  }
  return refuse(option, store, `it has no ${missing.join(", ")}; give ${OURS}`);
}

const MIN_SECRET_BYTES = 32;
/** A text with fewer different characters is no secret: "aaaa…", or "keyboard cat" over and over. */
const MIN_SECRET_CHARACTERS = 10;
/** What READMEs and tutorials have, and what people type. A random secret has none of it. */
const EXAMPLE_SECRET =
  /keyboard cat|change[ _-]?me|your[ _-]?secret|supersecret|example|password|correct.?horse|thirtytwo|minimum length|0123456789|1234567890|abcdefgh|qwertyui/i;

/** The option `secrets`. An empty array is refused: it may come from a missing variable, and would sign nothing. */
export function aSecretList(given: unknown): readonly string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw refused("must be an array of strings, the newest first");
  if (given.length === 0) throw refused("is empty; leave it out to sign and encrypt nothing");
  return given.map((secret: unknown, index) => {
    if (typeof secret !== "string") throw refused(`takes strings, and the value at index ${index} is not one`);
    if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) throw refused(`has a secret of under 32 bytes at index ${index}`);
    if (EXAMPLE_SECRET.test(secret) || new Set(secret).size < MIN_SECRET_CHARACTERS) {
      throw refused(`has an example, or a secret that is easy to guess, at index ${index}`);
    }
    return secret;
  });
}

/** Names the secret by its position: the value itself is in no message. */
function refused(what: string): RefusedOptions {
  return new RefusedOptions([`Option secrets ${what}; make a secret with: npx coatcheck secret`]);
}

export function aProject(byDefault: string): ReadOption<string> {
  return (project = byDefault, option) =>
    isProjectName(project) ? project : refuse(option, project, "give up to 64 letters, digits, '-', '_' and '.'");
}

/** The option `scope`, read as a function. What the app's own function returns must be a string, as it is stored. */
export function aScope(byDefault: string): ReadOption<(req: IncomingMessage) => string> {
  return (scope = byDefault, option) => {
    if (typeof scope === "string") {
      const name = scopeName(scope);
      return () => name;
    }
    if (typeof scope !== "function") return refuse(option, scope, "give a function of (req), or a string");
    return (req) => {
      const name = (scope as (req: IncomingMessage) => unknown)(req);
      return typeof name === "string" ? scopeName(name) : refuse("scope", name, "its function must return a string");
    };
  };
}

/** No cookie opens a clientless session, so a browser's session can't be one. */
function scopeName(name: string): string {
  return name === CLIENTLESS_SCOPE
    ? refuse("scope", name, "choose another name: this one is for sessions without a client")
    : name;
}

/** Every quarter of an hour. */
export const DEFAULT_SCHEDULE = "*/15 * * * *";

/** A cron expression, or false. */
export function aSchedule(byDefault: string): ReadOption<string | false> {
  return (schedule = byDefault) => (schedule === false ? schedule : checkedSchedule(schedule));
}

/** A cron expression; anything else is refused. */
export function checkedSchedule(schedule: unknown): string {
  // Known to be one, so node-cron is not loaded for it.
  if (schedule === DEFAULT_SCHEDULE) return DEFAULT_SCHEDULE;
  if (typeof schedule === "string" && clearScheduleRoom().isSchedule(schedule)) return schedule;
  return refuse("clearSchedule", schedule, `give a cron expression such as "*/15 * * * *", or false`);
}
