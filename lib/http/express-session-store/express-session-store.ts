import { EventEmitter } from "node:events";
import { SessionError } from "../../errors";
import type { HttpSettings } from "../http-settings";
import { LibrarySessions } from "./library-sessions";
import { OwnSessions } from "./own-sessions";

export { libraryOf } from "./library-sessions";

/** Called when the work is done; the error is null where it succeeded. */
export type StoreCallback = (error: unknown) => void;

/** What a library reads and writes as a session: its data, and beside them `cookie`, which says when it ends. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what libraries expect of it differs, and theirs to say
export type SessionObject = Record<string, any>;

/** What `expressSessionStore` takes. */
export interface ExpressSessionStoreOptions {
  /**
   * Keeps the sessions that a library makes itself, under its own ids, apart from all others and under this name: up to
   * 48 letters, digits, '-', '_' and '.'. Default: the store has our sessions, by `req.sessionID`.
   */
  readonly library?: string;
}

/**
 * A store of express-session's kind, for libraries that need one. It takes callbacks, and is an EventEmitter that never
 * emits. A failure without a callback is emitted as `error` by `Sessions`.
 */
export interface ExpressSessionStore extends EventEmitter {
  /** The session; undefined where there is none, or none any more. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each library has a type of its own for it
  get(id: string, callback: (error: unknown, session?: any) => void): void;
  /** Stores the session; of one that was read by `get`, what was changed since. */
  set(id: string, session: object, callback?: StoreCallback): void;
  /** Ends it; fine where there is none. */
  destroy(id: string, callback?: StoreCallback): void;
  /** Renews its idle limit; fine where there is none. */
  touch(id: string, session: object, callback?: StoreCallback): void;
  /** Ends all of them. */
  clear(callback?: StoreCallback): void;
  /** How many there are. It reads them all. */
  length(callback: (error: unknown, length?: number) => void): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the types of libraries ask for it
  [name: string]: any;
}

/** What such a store does, with promises instead of callbacks. */
export interface StoreWork {
  get(id: string): Promise<SessionObject | undefined>;
  set(id: string, session: object): Promise<void>;
  destroy(id: string): Promise<void>;
  touch(id: string, session: object): Promise<void>;
  /** Ids and sessions, one by one. */
  each(): AsyncIterable<readonly [id: string, session: () => SessionObject]>;
  clear(): Promise<void>;
}

/** A store of the sessions of browsers. */
export function ownSessionStore(settings: HttpSettings): ExpressSessionStore {
  return new CallbackStore(new OwnSessions(settings), settings.onError);
}

/** A store of the sessions that a library of this name makes itself. */
export function librarySessionStore(settings: HttpSettings, library: string): ExpressSessionStore {
  return new CallbackStore(new LibrarySessions(settings, library), settings.onError);
}

/**
 * Calls callbacks with the outcome of the work. The methods return nothing: some libraries take a function that
 * mentions promises for one without callbacks.
 */
class CallbackStore extends EventEmitter implements ExpressSessionStore {
  readonly #work: StoreWork;
  readonly #onError: (error: unknown) => void;

  constructor(work: StoreWork, onError: (error: unknown) => void) {
    super();
    this.#work = work;
    this.#onError = onError;
  }

  get(id: string, callback: (error: unknown, session?: SessionObject) => void): void {
    this.#tell(
      withId(id, () => this.#work.get(id)),
      required("get(id, callback)", callback),
    );
  }

  set(id: string, session: object, callback?: StoreCallback): void {
    this.#tell(
      withId(id, () => this.#work.set(id, session)),
      callback,
    );
  }

  destroy(id: string, callback?: StoreCallback): void {
    this.#tell(
      withId(id, () => this.#work.destroy(id)),
      callback,
    );
  }

  touch(id: string, session: object, callback?: StoreCallback): void {
    this.#tell(
      withId(id, () => this.#work.touch(id, session)),
      callback,
    );
  }

  all(callback: (error: unknown, sessions?: Record<string, SessionObject>) => void): void {
    this.#tell(allOf(this.#work), required("all(callback)", callback));
  }

  clear(callback?: StoreCallback): void {
    this.#tell(this.#work.clear() as Promise<undefined>, callback);
  }

  length(callback: (error: unknown, length?: number) => void): void {
    this.#tell(countOf(this.#work), required("length(callback)", callback));
  }

  /** The callback runs outside the promise, so that what it throws is not mistaken for a failure of the store. */
  #tell<T>(work: Promise<T | undefined>, callback: ((error: unknown, result?: T) => void) | undefined): void {
    const isAsked = typeof callback === "function";
    work.then(
      (result) => {
        if (isAsked) setImmediate(callback, null, result);
      },
      (error: unknown) => {
        if (isAsked) setImmediate(callback, error);
        else this.#onError(error);
      },
    );
  }
}

async function withId<T>(id: unknown, work: () => Promise<T>): Promise<T> {
  if (typeof id === "string" && id !== "") return work();
  throw new SessionError(
    "SESSION_ARGUMENT",
    `A session store takes an id, not ${id === "" ? "an empty one" : typeof id}.`,
  );
}

function required<T>(where: string, callback: T): T {
  if (typeof callback === "function") return callback;
  throw new SessionError("SESSION_ARGUMENT", `${where} of a session store takes a callback, not ${typeof callback}.`);
}

async function allOf(work: StoreWork): Promise<Record<string, SessionObject>> {
  const all: [string, SessionObject][] = [];
  for await (const [id, session] of work.each()) all.push([id, session()]);
  return Object.fromEntries(all);
}

async function countOf(work: StoreWork): Promise<number> {
  let count = 0;
  const sessions = work.each()[Symbol.asyncIterator]();
  while ((await sessions.next()).done !== true) count += 1;
  return count;
}
