const LIFE = `write idleTimeout: "30m" and absoluteTimeout: "24h"`;
const ALWAYS_SAVED = "leave it out: a session is stored once something is put into it, and then only what changes";
const COOKIE_LIFE = `${LIFE} beside cookie, and cookie.persistent: true to keep it when the browser is closed`;
const IN_COOKIE = (name: string, value: string) => `write cookie: { ${name}: ${value} }`;
const WITHOUT_SECRETS = "leave it out: the option secrets signs the cookie";

/** The options of `sessionMiddleware` under the names of express-session, cookie-session, iron-session, better-auth and their stores. */
export const FOREIGN_SESSION_OPTIONS: ReadonlyMap<string, string> = new Map([
  // express-session
  ["resave", ALWAYS_SAVED],
  ["saveUninitialized", ALWAYS_SAVED],
  ["rolling", "leave it out: idleTimeout starts over with each request, and absoluteTimeout never does"],
  ["genid", "leave it out: tokens are 32 random bytes, which are made here"],
  ["name", IN_COOKIE("name", '"sid"')],
  ["key", IN_COOKIE("name", '"sid"')],
  ["proxy", 'write app.set("trust proxy", 1), which Express and this library both follow'],
  ["unset", "leave it out: req.session = null ends the session"],
  ["secret", "did you mean secrets? It is an array, the newest first: secrets: [secret]"],
  // cookie-session and iron-session
  ["keys", "write secrets: [secret, …], the newest first"],
  ["password", "write secrets: [secret, …], the newest first"],
  ["cookieName", IN_COOKIE("name", '"sid"')],
  ["cookieOptions", "write cookie: { … }"],
  ["maxAge", LIFE],
  ["expires", LIFE],
  ["httpOnly", "leave it out: the cookie is always HttpOnly"],
  ["signed", WITHOUT_SECRETS],
  ["secure", IN_COOKIE("secure", '"auto"')],
  ["sameSite", IN_COOKIE("sameSite", '"lax"')],
  ["domain", IN_COOKIE("domain", '"example.com"')],
  ["path", `${IN_COOKIE("path", '"/"')}, or, for the folder, store: new SqliteStore({ path })`],
  // better-auth
  ["session", "write what it holds here, without it"],
  ["expiresIn", `write absoluteTimeout: "7d"; ${LIFE}`],
  ["updateAge", 'write touchInterval: "5m"'],
  ["freshAge", "leave it out: session.meta.createdAt tells when the user signed in"],
  [
    "cookieCache",
    "leave it out: nothing is read from the cookie but the token, so that a session that was ended is over",
  ],
  ["cookiePrefix", IN_COOKIE("name", '"sid"')],
  ["useSecureCookies", IN_COOKIE("secure", "true")],
  ["crossSubDomainCookies", IN_COOKIE("domain", '"example.com"')],
  ["defaultCookieAttributes", "write cookie: { … }"],
  ["secondaryStorage", "write store: new …Store()"],
  ["database", "write store: new …Store()"],
  // connect-redis and other stores
  ["client", "give it to the store: store: new …Store({ … })"],
  ["ttl", LIFE],
  ["prefix", 'write project: "shop", which keeps the sessions of several apps in one store apart'],
  ["disableTouch", 'write touchInterval: "5m", which says how often idleTimeout is renewed in the store'],
  ["touchAfter", 'write touchInterval: "5m"'],
  ["serializer", "leave it out: values come back as they went in"],
  ["checkPeriod", 'write clearSchedule: "*/15 * * * *"'],
  ["reapInterval", 'write clearSchedule: "*/15 * * * *"'],
  ["pruneSessionInterval", 'write clearSchedule: "*/15 * * * *"'],
]);

/** The same for `cookie`. */
export const FOREIGN_COOKIE_OPTIONS: ReadonlyMap<string, string> = new Map([
  ["maxAge", COOKIE_LIFE],
  ["expires", COOKIE_LIFE],
  ["originalMaxAge", COOKIE_LIFE],
  ["httpOnly", "leave it out: the cookie is always HttpOnly"],
  ["signed", WITHOUT_SECRETS],
  ["overwrite", "leave it out: a response sets the session's cookie once"],
  ["encode", "leave it out: a token needs none"],
  ["decode", "leave it out: a token needs none"],
  ["secret", "write secrets: [secret] beside cookie"],
  ["attributes", "write what it holds here, without it"],
]);

/** The same for any store of ours. */
export const FOREIGN_STORE_OPTIONS: readonly (readonly [string, string])[] = [
  ["ttl", `${LIFE} in the options of sessionMiddleware`],
  ["expirationMs", `${LIFE} in the options of sessionMiddleware`],
  ["maxAge", `${LIFE} in the options of sessionMiddleware`],
  ["prefix", 'write project: "shop" in the options of sessionMiddleware'],
  ["disableTouch", 'write touchInterval: "5m" in the options of sessionMiddleware'],
  ["serializer", "leave it out: values come back as they went in"],
  ["secrets", "write it in the options of sessionMiddleware"],
  ["storeTimeout", "write it in the options of sessionMiddleware"],
  ["clearSchedule", "write it in the options of sessionMiddleware"],
];
