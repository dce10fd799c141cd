/**
 * The closed set of error codes and the HTTP status each answers with. A code never changes its meaning; new ones come
 * in minor versions.
 */
const STATUS_OF = {
  /** An option is unknown, of the wrong type, or contradicts another one. */
  SESSION_CONFIG: 500,
  /** A function was called with an argument it can't work with. */
  SESSION_ARGUMENT: 500,
  /** `require` or `remove` was asked for a key that the session does not have. */
  SESSION_KEY: 500,
  /** A value holds something that can't be stored; the message names the path. */
  SESSION_VALUE: 500,
  /** The record would be larger than `maxBytes`. */
  SESSION_TOO_LARGE: 500,
  /** A request that must prove that it comes from a page of this session has no valid key for that. */
  SECURITY_KEY: 403,
  /** The session was killed, logged out, replaced or expired while this request worked with it. */
  SESSION_ENDED: 409,
  /** A record with this id is stored already. */
  SESSION_EXISTS: 500,
  /** The change needs a cookie, and the headers are on their way already. */
  SESSION_HEADERS_SENT: 500,
  /** The session was changed after its response had ended, and nothing has saved it. */
  SESSION_LATE: 500,
  /** On plain HTTP in production no session may be created. */
  SESSION_INSECURE: 500,
  /** The store failed; `cause` has its error. */
  SESSION_STORE: 503,
  /** The store did not answer within `storeTimeout`. */
  SESSION_STORE_TIMEOUT: 503,
  /** A record went on changing under every attempt to change it atomically. */
  SESSION_CONFLICT: 503,
  /** What is stored is damaged, or of a newer format. */
  SESSION_UNREADABLE: 500,
  /** These Sessions, or their store, were closed. */
  SESSION_CLOSED: 503,
  /** More than one `sessionMiddleware` is open, so a plain function can't tell which one is meant. */
  SESSION_DEFAULT_AMBIGUOUS: 500,
  /** This session was not made by a request or a store, and can only be read. */
  SESSION_DETACHED: 500,
  /** There is no session of this id. */
  SESSION_NOT_FOUND: 404,
  /** An attribute that was to be created is there already. */
  ATTRIBUTE_EXISTS: 409,
  /** An attribute that was to be changed is not there, or has expired. */
  ATTRIBUTE_NOT_FOUND: 404,
  /** An encrypted attribute was written with a secret that is gone, or was tampered with. */
  ATTRIBUTE_UNREADABLE: 500,
  /** What this asks for needs a cookie, and a clientless session has none. */
  SESSION_CLIENTLESS: 500,
  /** The user context was to be set outside of a request, a task and `withUserContext`. */
  SESSION_CONTEXT: 500,
  /** No task of this name was defined, or started in this session. */
  TASK_UNKNOWN: 500,
  /** A task was not done in the time that was given. It may go on. */
  TASK_TIMEOUT: 504,
  /** Whoever asks may not do this; it says the same whether or not there is such a session. */
  NOT_ALLOWED: 403,
  /** This is for users who are signed in, and nobody is; an app's error handling leads to its sign-in. */
  NOT_SIGNED_IN: 401,
} as const;

/** A stable code that tells what went wrong; see `SessionError`. */
export type SessionErrorCode = keyof typeof STATUS_OF;

/**
 * Every error that coatcheck throws on purpose. `code` is stable; `message` names the thing and the fix, and never
 * holds a token or a stored value; `cause` keeps the error underneath. `status`, `statusCode` and `expose` are what
 * `http-errors` has, and so what the error handling of Express, NestJS and others knows.
 */
export class SessionError extends Error {
  readonly code: SessionErrorCode;
  readonly status: number;
  /** The same as `status`. */
  readonly statusCode: number;
  /** Whether the client may read the message: where the request was wrong, and not the server. */
  readonly expose: boolean;
  /**
   * Of a kill that failed in the middle: how many sessions it has ended. Others are live still. Absent for every other
   * error.
   */
  readonly ended?: number;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions & { readonly ended?: number }) {
    super(message, options);
    this.name = "SessionError";
    this.code = code;
    this.status = STATUS_OF[code];
    this.statusCode = this.status;
    this.expose = this.status < 500;
    if (options?.ended !== undefined) this.ended = options.ended;
  }
}

/** Whether it says that a stored session is damaged, or of a newer format. */
export function isUnreadable(error: unknown): error is SessionError {
  return error instanceof SessionError && error.code === "SESSION_UNREADABLE";
}

/**
 * Tells the process of an error that nobody listens for. Given as text, because in a test runner's realm an error is
 * none of the process's.
 */
export function warnOf(error: unknown): void {
  const { message, stack, code } = Object(error) as { message?: unknown; stack?: unknown; code?: unknown };
  process.emitWarning(typeof message === "string" ? message : String(error), {
    type: "CoatcheckWarning",
    ...(typeof code === "string" ? { code } : undefined),
    ...(typeof stack === "string" ? { detail: stack } : undefined),
  });
}
