import type { IncomingMessage } from "node:http";
import { aBoolean, aFunction, aText } from "../../options/reader/option-kinds";
import { readOptions, refuse } from "../../options/reader/read-options";
import type { Option, OptionTable } from "../../options/reader/read-options";

/** The options of `requireSecurityKey`; they are checked once. */
export interface RequireSecurityKeyOptions {
  /**
   * The methods that need a key, in capitals; GET includes HEAD. Default: all but GET, HEAD, OPTIONS and TRACE. (RFC
   * 9110 §9.2.1)
   */
  readonly methods?: readonly string[];
  /** The request header that carries the key. Default `"X-Security-Key"`. */
  readonly header?: string;
  /**
   * The field of `req.body` that carries the key, and the function of `res.locals` that makes one. Default
   * `"securityKey"`.
   */
  readonly field?: string;
  /** Whether to accept only one-time keys. Default false: only the static key. */
  readonly oneTime?: boolean;
  /** Requests for which this returns true need no key; the pages rendered for them can still have one. Default none. */
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

const UNSAFE_METHODS = 'write methods: ["POST", "PUT", "PATCH", "DELETE"], those that need a key';
const WHERE_IT_COMES = "write field and header, which say where the key is";
const DERIVED = "leave it out: the key is derived from the session's token";

// The foreign names are those of csrf-sync, csrf-csrf, csurf and lusca.
const ENTRIES = {
  methods: {
    read: methodTest,
    as: "needsKey",
    foreign: { ignoredMethods: UNSAFE_METHODS, ignoreMethods: UNSAFE_METHODS },
  },
  header: {
    read: aText(
      "X-Security-Key",
      (name) => /^[!#$%&'*+\-.^_`|~\w]{1,100}$/.test(name),
      'give a name such as "X-Security-Key"',
    ),
  },
  field: {
    read: aText(
      "securityKey",
      (name) => /^[a-z]\w{0,99}$/i.test(name),
      "give up to 100 letters, digits and _, a letter first",
    ),
    foreign: { getTokenFromRequest: WHERE_IT_COMES, value: WHERE_IT_COMES, key: "write field" },
  },
  oneTime: { read: aBoolean(false) },
  skip: {
    read: aFunction<Skip | undefined>("(req)", undefined),
    foreign: { skipCsrfProtection: "write skip: (req) => …" },
  },
} as const satisfies Record<keyof RequireSecurityKeyOptions, Option>;

const GUARD_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "requireSecurityKey",
  example: '{ methods: ["POST"] }',
  options: ENTRIES,
  foreign: {
    cookie: "leave it out: the key is the session's, and needs no cookie of its own",
    ...{ secret: DERIVED, getSecret: DERIVED },
  },
};

/** Reads and checks the options: `SESSION_CONFIG` tells all that is wrong. */
export function readRequireSecurityKeyOptions(given: RequireSecurityKeyOptions): RequireSecurityKeySettings {
  const { skip, ...others } = readOptions(GUARD_OPTIONS, given);
  return { ...others, skip: (req) => skip?.call(given, req) === true };
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
