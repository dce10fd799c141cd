/**
 * What an app's declaration of its session data gives it. `tsc --noEmit` checks this file, and nothing runs it: a line
 * that should not compile says so, and is an error if it does.
 */
import express from "express";
import type { Express, Request } from "express";
import express4 from "express4";
import { Server } from "socket.io";
import {
  currentSession,
  getSessionInfo,
  GUEST_USER,
  killSessionByUser,
  SessionError,
  sessionMiddleware,
  Sessions,
} from "coatcheck";
import type {
  RequestSession,
  ReservedName,
  Session,
  SessionData,
  SessionErrorCode,
  SessionMiddleware,
  SessionOptions,
  SessionStore,
} from "coatcheck";
import { SqliteStore } from "coatcheck/sqlite";
import { DatastoreStore } from "coatcheck/datastore";
import { MemoryStore } from "coatcheck/testing";
import type { ReservedNames } from "../../lib/session/session-proxy";

interface Basket {
  readonly teas: string[];
}

declare module "coatcheck" {
  interface SessionData {
    basket: Basket;
    visits: number;
  }
}

// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- how TypeScript tells whether types are identical
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `exactly<T>().is(value)` compiles where the value's type is T, neither wider nor narrower. */
function exactly<T>() {
  return {
    is<V>(_value: V, ..._notTheSameType: Same<T, V> extends true ? [] : [never]): void {
      // The types are the test.
    },
  };
}

export function properties({ session }: Request): void {
  exactly<RequestSession>().is(session);
  exactly<number | undefined>().is(session.visits);
  exactly<Basket | undefined>().is(session.basket);
  session.visits = 1;
  session.visits = (session.visits ?? 0) + 1;
  session.basket?.teas.push("oolong");
  delete session.visits;
  // @ts-expect-error -- a value of another type
  session.visits = "1";
  // @ts-expect-error -- it may be absent
  session.visits.toFixed();
  // @ts-expect-error -- nobody declared it
  session.undeclared = 1;
  // @ts-expect-error -- the session's own names can't be assigned
  session.id = "x";
  // @ts-expect-error -- nor can what it knows of its user
  session.owner = "alice";
  // @ts-expect-error -- the cookie is a view
  session.cookie.maxAge = 1;
}

export function methods({ session }: Request): void {
  const [maybe, surely, required] = [session.get("visits"), session.get("visits", 0), session.require("visits")];
  exactly<number | undefined>().is(maybe);
  exactly<number>().is(surely);
  exactly<number>().is(required);
  const popped = session.pop("basket");
  exactly<Basket | undefined>().is(popped);
  const there = session.setDefault("basket", { teas: [] });
  exactly<Basket>().is(there);
  const removed = session.delete("basket");
  exactly<boolean>().is(removed);
  session.set("visits", 1).set("basket", { teas: [] });
  session.merge({ visits: 1 }).merge({ anything: "else" });
  const unknown = session.get("undeclared");
  exactly<unknown>().is(unknown);
  session.set("undeclared", { of: "any kind" });
  for (const entry of session) exactly<[string, unknown]>().is(entry);
  // @ts-expect-error -- a key is a string
  session.set(5, 1);
  // @ts-expect-error -- a value of what is unknown has to be looked at first
  session.set("length", session.get("undeclared").length);
}

/** `SessionData` refuses all that a session keeps for itself, and nothing else. */
type Refused = {
  [Key in keyof SessionData]-?: Exclude<SessionData[Key], undefined> extends ReservedName ? Key : never;
}[keyof SessionData];
export const refusesAllReserved: Same<Refused, ReservedNames> = true;

declare module "coatcheck" {
  interface SessionData {
    // @ts-expect-error -- session.login is the method, for everyone
    login?: boolean;
    // @ts-expect-error -- session.id is the session's
    id?: string;
    // @ts-expect-error -- it is the user whose session it is
    owner?: string;
    // @ts-expect-error -- it is the method of the dict
    items?: string[];
    // @ts-expect-error -- it is what is known of the session
    meta?: object;
  }
}

export async function changes({ session }: Request): Promise<void> {
  const visits = await session.update("visits", (before) => {
    exactly<number | undefined>().is(before);
    return (before ?? 0) + 1;
  });
  exactly<number>().is(visits);
  await session.update("undeclared", (before) => [before]);
  await session.login("alice");
  await session.login(42, { remember: true });
  void session.login("alice", (error) => exactly<unknown>().is(error));
  void session.save(() => undefined);
  void session.regenerate((error: Error) => error.message);
  void session.destroy((error: Error | null) => error?.message);
  await Promise.all([session.save(), session.reload(), session.touch(), session.reset(), session.logout()]);
  await session.regenerate();
  // @ts-expect-error -- a user has an id
  await session.login();
  // @ts-expect-error -- a user's id is a string or a number
  await session.login({ id: 5 });
  // @ts-expect-error -- there is no such option
  await session.login("alice", { rememberMe: true });
  // @ts-expect-error -- yes or no
  await session.login("alice", { remember: "30d" });
}

export function ending(req: Request): void {
  req.session = null;
  exactly<string>().is(req.sessionID);
  // @ts-expect-error -- nothing else can be put there
  req.session = {};
}

export async function outside(sessions: Sessions, user: string | undefined, session: Session): Promise<void> {
  const ended = await killSessionByUser("alice");
  exactly<number>().is(ended);
  await Promise.all([killSessionByUser(), killSessionByUser(GUEST_USER), sessions.killSessionByUser("alice")]);
  // @ts-expect-error -- a missing request field must not sign everybody out
  await killSessionByUser(user);
  // @ts-expect-error -- nor on the class
  await sessions.killSessionByUser(undefined);
  // @ts-expect-error -- an id is a string
  await killSessionByUser(5);
  // @ts-expect-error -- nobody is GUEST_USER
  await killSessionByUser(null);
  await sessions.killOthers(session);
  const [info] = await getSessionInfo({ username: /^a/, project: (name) => name.startsWith("tea") });
  exactly<Awaited<ReturnType<Sessions["getSession"]>> | undefined>().is(info);
  // @ts-expect-error -- there is no such filter
  await getSessionInfo({ user: "alice" });
  const current = currentSession();
  exactly<Session | undefined>().is(current);
}

export function mounting(app: Express): void {
  const handler = sessionMiddleware();
  exactly<SessionMiddleware>().is(handler);
  exactly<Sessions>().is(handler.sessions);
  app.use(handler);
  app.get("/", handler, (req, res) => res.json(req.session.visits));
  express().use("/shop", express.Router().use(handler));
  express4().use(handler);
  new Server().engine.use(handler);
}

export function options(): void {
  const stores: SessionStore[] = [new MemoryStore(), new SqliteStore(), new DatastoreStore()];
  const all: SessionOptions = {
    ...(stores[0] === undefined ? {} : { store: stores[0] }),
    idleTimeout: "20m",
    absoluteTimeout: Infinity,
    cookie: { sameSite: undefined, secure: "auto" },
    clearSchedule: false,
    userOf: (session) => session.get("visits"),
    scope: (req) => req.headers.host ?? "",
  };
  const sessions = new Sessions(all);
  sessions.on("ended", ({ id, owner, reason }) => {
    exactly<string>().is(id);
    exactly<string>().is(owner);
    // @ts-expect-error -- there is no such reason
    if (reason === "bored") return;
  });
  // @ts-expect-error -- there is no such event
  sessions.on("finished", () => undefined);
  // @ts-expect-error -- a duration that ms does not read
  sessionMiddleware({ idleTimeout: "soon" });
  // @ts-expect-error -- there is no such option
  sessionMiddleware({ maxAge: 5 });
  // @ts-expect-error -- a cookie is always HttpOnly
  sessionMiddleware({ cookie: { httpOnly: false } });
  // @ts-expect-error -- a store has every method
  sessionMiddleware({ store: { load: () => undefined } });
}

export function errors(error: unknown): SessionErrorCode | undefined {
  if (!(error instanceof SessionError)) return undefined;
  exactly<number>().is(error.status);
  // @ts-expect-error -- the codes are a closed set
  if (error.code === "SESSION_GONE") return undefined;
  return error.code;
}
