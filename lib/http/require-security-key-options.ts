import type { IncomingMessage } from "node:http";
import { inspect } from "node:util";
import { SessionError } from "../errors";

/** The options of `requireSecurityKey`; they are checked once. */
export interface RequireSecurityKeyOptions {
  /** The methods that need a key, in capitals; with GET, HEAD does too. Default: all but GET, HEAD, OPTIONS and TRACE. (RFC 9110 §9.2.1) */
  readonly methods?: readonly string[];
  /** The request header that carries the key. Default `"X-Security-Key"`. */
  readonly header?: string;
  /** The field of `req.body` that carries the key, and the function of `res.locals` that makes one. Default `"securityKey"`. */
  readonly field?: string;
  /** Accepts one-time keys only. Default false: the static key only. */
  readonly oneTime?: boolean;
  /** Requests for which this answers true need no key; what is rendered for them can have one all the same. Default none. */
  skip?(req: IncomingMessage): boolean;
}

/** The options with their defaults. */
export interface RequireSecurityKeySettings {
  readonly needsKey: (method: string) => boolean;
  readonly header: string;
  readonly field: string;
  readonly oneTime: boolean;
  readonly skip: (req: IncomingMessage) => boolean;
}

const OPTIONS = ["methods", "header", "field", "oneTime", "skip"];
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** Reads and checks the options: `SESSION_CONFIG` names the first that is wrong. */
export function readRequireSecurityKeyOptions(given: RequireSecurityKeyOptions): RequireSecurityKeySettings {
  if (typeof given !== "object" || (given as unknown) === null) refuse("options", given, "give an object, or nothing");
  const unknown = Object.keys(given).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new SessionError(
      "SESSION_CONFIG",
      `requireSecurityKey: there is no option ${unknown}; the options are ${OPTIONS.join(", ")}.`,
    );
  }
  const { methods, header = "X-Security-Key", field = "securityKey", oneTime = false } = given;
  if (!matches(header, /^[!#$%&'*+\-.^_`|~\w]{1,100}$/))
    refuse("header", header, `give a name such as "X-Security-Key"`);
  if (!matches(field, /^[a-z]\w{0,99}$/i))
    refuse("field", field, "give up to 100 letters, digits and _, a letter first");
  if (typeof oneTime !== "boolean") refuse("oneTime", oneTime, "it is true or false");
  const asGiven: unknown = Reflect.get(given, "skip");
  if (asGiven !== undefined && typeof asGiven !== "function") refuse("skip", asGiven, "give a function of (req)");
  const skip = given.skip?.bind(given);
  return { needsKey: methodTest(methods), header, field, oneTime, skip: (req) => skip?.(req) === true };
}

function methodTest(methods: unknown): (method: string) => boolean {
  if (methods === undefined) return (method) => !SAFE_METHODS.has(method);
  if (!Array.isArray(methods) || methods.length === 0 || !methods.every((one) => matches(one, /^[A-Z-]+$/))) {
    return refuse(
      "methods",
      methods,
      `give names in capitals, such as ["POST", "DELETE"], or leave it out for all that are unsafe`,
    );
  }
  const needing = new Set<string>(methods);
  // Express hands a HEAD to the routes of GET. (RFC 9110 §9.3.2)
  if (needing.has("GET")) needing.add("HEAD");
  return (method) => needing.has(method);
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

function refuse(option: string, value: unknown, instead: string): never {
  const echo = inspect(value, { depth: 1, maxStringLength: 100 });
  throw new SessionError("SESSION_CONFIG", `requireSecurityKey: ${option} can't be ${echo}; ${instead}.`);
}
