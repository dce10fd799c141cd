import { aBoolean, aChoice, aChoiceOrNone, anObject, aText, aTextOrNone } from "./reader/option-kinds";
import { readOptions, refuse } from "./reader/read-options";
import type { Option, OptionTable, ReadOptions } from "./reader/read-options";

/** How the session cookie is set. It is always HttpOnly. */
export interface CookieOptions {
  /** Its name, to which HTTPS adds `__Host-` or `__Secure-`. Default `"sid"`, or `"sid-<project>"`. */
  readonly name?: string;
  /**
   * Whether HTTPS adds `__Host-` or `__Secure-` to the name, so that no subdomain and no plain HTTP can plant a cookie.
   * Default true. Set false where a proxy passes one cookie name only, as Firebase Hosting does (`__session`); the
   * cookie is still Secure.
   */
  readonly prefix?: boolean;
  /** Default `"/"`. */
  readonly path?: string;
  /** Hosts below this domain get the cookie too. Default none: this host alone. */
  readonly domain?: string;
  /** Default `"lax"`; `undefined` leaves the attribute out. */
  readonly sameSite?: "strict" | "lax" | "none" | undefined;
  /**
   * Default `"auto"`: Secure where the request came over HTTPS, which behind a proxy needs Express's `trust proxy`.
   * `true`: always; in production plain HTTP still gets no session. `false`: never, and plain HTTP gets one.
   */
  readonly secure?: boolean | "auto";
  /** Default none. */
  readonly priority?: "low" | "medium" | "high";
  /** Default false. (CHIPS) */
  readonly partitioned?: boolean;
  /** Whether the cookie outlives the browser, until the session's absolute limit. Default false. */
  readonly persistent?: boolean;
}

const LIFE = `write idleTimeout: "30m" and absoluteTimeout: "24h" beside cookie, and cookie.persistent: true to keep it when the browser is closed`;
const NO_ENCODING = "leave it out: a token needs none";

const ENTRIES = {
  // Without a default: that depends on the option `project`.
  name: { read: cookieName },
  path: { read: aText("/", (path) => /^\/[\x21-\x3a\x3c-\x7e]*$/.test(path), `give a path that starts with "/"`) },
  domain: {
    read: aTextOrNone(isDomain, `give a domain such as "example.com", or leave it out for this host alone`),
  },
  sameSite: { read: (value, option, isGiven) => (isGiven ? sameSite(value, option) : "lax") },
  secure: { read: aChoice([true, false, "auto"] as const, "auto") },
  priority: { read: aChoiceOrNone(["low", "medium", "high"] as const) },
  partitioned: { read: aBoolean(false) },
  persistent: { read: aBoolean(false), foreign: { maxAge: LIFE, expires: LIFE, originalMaxAge: LIFE } },
  prefix: { read: aBoolean(true) },
} as const satisfies Record<keyof CookieOptions, Option>;

const COOKIE_OPTIONS: OptionTable<typeof ENTRIES> = {
  prefix: "cookie.",
  example: '{ sameSite: "strict" }',
  options: ENTRIES,
  foreign: {
    httpOnly: "leave it out: the cookie is always HttpOnly",
    signed: "leave it out: the option secrets signs the cookie",
    overwrite: "leave it out: a response sets the session's cookie once",
    encode: NO_ENCODING,
    decode: NO_ENCODING,
    secret: "write secrets: [secret] beside cookie",
    attributes: "write its options directly in cookie",
  },
};

const anyObject = anObject(COOKIE_OPTIONS.example);
const SECURE_ONLY = "browsers accept it only with Secure, so set cookie.secure to true or leave it out";

/** The option `cookie`; its `name` is undefined where it was not given. */
export function cookieOption(given: unknown, option: string, isGiven: boolean): ReadOptions<typeof ENTRIES> {
  return readOptions(
    COOKIE_OPTIONS,
    anyObject(given, option, isGiven),
    (cookie) => {
      if (cookie.sameSite === "none" && cookie.secure === false) refuse("cookie.sameSite", "none", SECURE_ONLY);
    },
    (cookie) => {
      if (cookie.partitioned === true && cookie.secure === false) refuse("cookie.partitioned", true, SECURE_ONLY);
    },
  );
}

/** Given as undefined, the attribute is left out. */
function sameSite(value: unknown, option: string): "strict" | "lax" | "none" | undefined {
  if (typeof value !== "boolean") return readSameSite(value, option, true);
  const meant = value ? `true in other libraries is "strict"` : "false in other libraries is undefined";
  return refuse(option, value, `it is one of 'strict', 'lax', 'none'; ${meant}`);
}

const readSameSite = aChoiceOrNone(["strict", "lax", "none"] as const);

function cookieName(name: unknown, option: string): string | undefined {
  if (name === undefined) return undefined;
  if (typeof name !== "string" || !/^[!#$%&'*+\-.^_`|~\w]+$/.test(name) || name.length > 128) {
    return refuse(option, name, "give up to 128 letters, digits and -._ characters (RFC 6265 §4.1.1)");
  }
  if (/^__(host|secure)-/i.test(name)) {
    return refuse(option, name, "leave the prefix out; it is added wherever the cookie is Secure");
  }
  return name;
}

function isDomain(domain: string): boolean {
  return /^\.?([a-z\d]([a-z\d-]*[a-z\d])?\.)*[a-z\d]([a-z\d-]*[a-z\d])?$/i.test(domain);
}
