import { once } from "node:events";
import { createServer, get } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Server as TlsServer } from "node:tls";
import { parseSetCookie } from "cookie";
import { middlewareSessions } from "../default-sessions";
import { SessionError } from "../errors";
import type { Session } from "../session/session";
import type { Sessions } from "../sessions";

/** Whose session a test starts, and what is in it. */
export interface SignInOptions {
  /**
   * The sessions of the app under test: the `.sessions` of its middleware. By default those of the plain functions,
   * that is of the one `sessionMiddleware` in this process.
   */
  readonly sessions?: Sessions;
  /** What the session is to hold beside its owner; with passport, `{ passport: { user: "alice" } }`. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** As in `login(user, { remember: true })`: the limits of a remembered session, and a persistent cookie. */
  readonly remember?: boolean;
}

/** What is used of an agent of supertest or superagent: its jar of cookies, and what it sends requests to. */
export interface CookieAgent {
  /** The cookies that it sends. */
  readonly jar: {
    /** Adds the cookies of a `Set-Cookie` header. */
    setCookies(cookies: string, domain?: string, path?: string): unknown;
  };
  /** A server, or the address of one. */
  readonly app?: unknown;
}

/** A cookie as `BrowserContext.addCookies` of Playwright takes it. */
export interface BrowserCookie {
  /** The name that the app reads at this `url`. */
  readonly name: string;
  /** The token of the new session, signed where the app signs cookies. */
  readonly value: string;
  /** The address of the app. */
  readonly url: string;
  /** Always true. */
  readonly httpOnly: boolean;
  /** Whether the browser sends it over HTTPS only. */
  readonly secure: boolean;
  /** Whether the browser sends it with requests from other sites. */
  readonly sameSite: "Strict" | "Lax" | "None";
  /** Seconds since the epoch; absent for a cookie that ends with the browser. */
  readonly expires?: number;
}

/**
 * Signs a supertest agent in, without the app's own login: starts a session of this user and puts its cookie into the
 * agent's jar. Resolves to the agent.
 *
 * For tests only: rejects with `SESSION_CONFIG` where `NODE_ENV` is `production`.
 */
export async function signIn<Agent extends CookieAgent>(
  agent: Agent,
  user: string,
  options: SignInOptions = {},
): Promise<Agent> {
  const { host, overHttps } = targetOf(agent.app);
  const header = await newSessionCookie(user, overHttps, options);
  // The agent sends to this host only, whatever domain the app has in production.
  agent.jar.setCookies(header.replace(/; Domain=[^;]*/i, ""), host, "/");
  return agent;
}

/**
 * The cookie of a new session of this user, for a browser that a test drives: `context.addCookies([await
 * signInCookie(url, "alice")])`. `url` is an address of the app; with `https:` the cookie is Secure and has its prefix.
 *
 * For tests only, as `signIn` is.
 */
export async function signInCookie(url: string, user: string, options: SignInOptions = {}): Promise<BrowserCookie> {
  if (!URL.canParse(url)) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      'signInCookie(url, user): write the app\'s address, "http://localhost:3000".',
    );
  }
  const { protocol } = new URL(url);
  const header = await newSessionCookie(user, protocol === "https:", options);
  const { name, value = "", secure = false, sameSite, maxAge } = parseSetCookie(header);
  return {
    ...{ name, value, url, httpOnly: true, secure, sameSite: SAME_SITES[String(sameSite)] ?? "Lax" },
    ...(maxAge === undefined ? undefined : { expires: Math.floor(Date.now() / 1000) + maxAge }),
  };
}

const SAME_SITES: Readonly<Record<string, BrowserCookie["sameSite"]>> = { strict: "Strict", lax: "Lax", none: "None" };

/** Where the agent sends its requests. */
function targetOf(app: unknown): { host: string; overHttps: boolean } {
  if (typeof app === "string" && URL.canParse(app)) {
    const { hostname, protocol } = new URL(app);
    return { host: hostname, overHttps: protocol === "https:" };
  }
  // Supertest gives a server this address.
  return { host: "127.0.0.1", overHttps: app instanceof TlsServer };
}

/**
 * The Set-Cookie header of a new session. A real request starts it, through the middleware, so that the cookie and the
 * session are what the app's own login would make them.
 */
async function newSessionCookie(user: string, overHttps: boolean, options: SignInOptions): Promise<string> {
  if (process.env.NODE_ENV === "production") {
    throw new SessionError("SESSION_CONFIG", "signIn is for tests, and NODE_ENV is production; set it to test.");
  }
  const { sessions = middlewareSessions() } = options;
  if (sessions === undefined) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      "signIn found no sessionMiddleware in this process; make the app first, or give the option sessions.",
    );
  }
  const middleware = sessions.middleware();
  let failure: unknown;
  const server = createServer((req, res) => {
    if (overHttps) Object.defineProperty(req.socket, "encrypted", { value: true });
    const fail = (error: unknown) => {
      failure = error;
      res.statusCode = 500;
      res.end();
    };
    middleware(req, res, (error) => {
      if (error === undefined) login((req as WithSession).session, user, options).then(() => res.end(), fail);
      else fail(error);
    });
  });
  try {
    const header = await setCookieFrom(server);
    if (failure !== undefined) throw failure as Error;
    return header;
  } finally {
    server.close();
  }
}

interface WithSession extends IncomingMessage {
  readonly session: Session;
}

async function login(session: Session, user: string, { data = {}, remember = false }: SignInOptions): Promise<void> {
  await session.login(user, { remember });
  session.merge(data);
  await session.save();
}

/** Sends one request to a server, on this machine, and resolves to the cookie that it sets; empty where it sets none. */
async function setCookieFrom(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const asking = get({ host: "127.0.0.1", port, agent: false });
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.headers["set-cookie"]?.at(-1) ?? "";
}
