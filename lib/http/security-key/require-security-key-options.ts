import type { IncomingMessage } from "node:http";
import { aBoolean, aFunction, aText } from "../../options/reader/option-kinds";
import { readOptions } from "../../options/reader/read-options";
import type { OptionTable, ReadOption } from "../../options/reader/read-options";
import { refuse } from "../../options/reader/refused-options";

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

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

type Skip = (req: IncomingMessage) => boolean;

const ENTRIES = {
  methods: methodTest,
  header: aText(
    "X-Security-Key",
    (name) => /^[!#$%&'*+\-.^_`|~\w]{1,100}$/.test(name),
    'give a name such as "X-Security-Key"',
  ),
  field: aText(
    "securityKey",
    (name) => /^[a-z]\w{0,99}$/i.test(name),
    "give up to 100 letters, digits and _, a letter first",
  ),
  oneTime: aBoolean(false),
  skip: aFunction<Skip | undefined>("(req)", undefined),
} satisfies Record<keyof RequireSecurityKeyOptions, ReadOption<unknown>>;

const GUARD_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "requireSecurityKey",
  example: '{ methods: ["POST"] }',
  entries: ENTRIES,
  foreign: new Map([
    // csrf-sync, csrf-csrf, csurf, lusca
    ["ignoredMethods", 'write methods: ["POST", "PUT", "PATCH", "DELETE"], those that need a key'],
    ["ignoreMethods", 'write methods: ["POST", "PUT", "PATCH", "DELETE"], those that need a key'],
    ["skipCsrfProtection", "write skip: (req) => …"],
    ["getTokenFromRequest", "write field and header, which say where the key comes"],
    ["value", "write field and header, which say where the key comes"],
    ["cookie", "leave it out: the key is the session's, and needs no cookie of its own"],
    ["key", "write field"],
    ["secret", "leave it out: the key is derived from the session's token"],
    ["getSecret", "leave it out: the key is derived from the session's token"],
  ]),
};

/** Reads and checks the options: `SESSION_CONFIG` tells all that is wrong. */
export function readRequireSecurityKeyOptions(given: RequireSecurityKeyOptions): RequireSecurityKeySettings {
  const { methods, skip, ...others } = readOptions(GUARD_OPTIONS, given);
  return { ...others, needsKey: methods, skip: (req) => skip?.call(given, req) === true };
}

function methodTest(methods: unknown, option: string): (method: string) => boolean {
  if (methods === undefined) return (method) => !SAFE_METHODS.has(method);
  if (!Array.isArray(methods) || methods.length === 0 || !methods.every(isMethod)) {
    const instead = 'give names in capitals, such as ["POST", "DELETE"], or leave it out for all that are unsafe';
    return refuse(option, methods, instead);
  }
  const needing = new Set<string>(methods);
  // Express hands a HEAD to the routes of GET. (RFC 9110 §9.3.2)
  if (needing.has("GET")) needing.add("HEAD");
  return (method) => needing.has(method);
}

function isMethod(name: unknown): name is string {
  return typeof name === "string" && /^[A-Z-]+$/.test(name);
}
