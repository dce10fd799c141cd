/**
 * The closed set of error codes, each with the HTTP status of a request that fails with it. A code never changes its
 * meaning; new ones come in minor versions.
 */
const STATUS_OF = {
  /** An option is unknown, of the wrong type, or contradicts another one. */
  SESSION_CONFIG: 500,
  /** A function was called with an argument that it can't use. */
  SESSION_ARGUMENT: 500,
  /** `require` or `remove` was called with a key that the session does not have. */
  SESSION_KEY: 500,
  /** A value holds something that can't be stored; the message names the path. */
  SESSION_VALUE: 500,
  /** The record would be larger than `maxBytes`. */
  SESSION_TOO_LARGE: 500,
  /** A request that must prove that it comes from a page of this session has no valid security key. */
  SECURITY_KEY: 403,
  /** The session was killed, logged out or replaced, or expired, while this request used it. */
  SESSION_ENDED: 409,
  /** A record with this id is already stored. */
  SESSION_EXISTS: 500,
  /** The change needs a cookie, and the headers are already sent. */
  SESSION_HEADERS_SENT: 500,
  /** The session was changed after its response had ended, and nothing saved it. */
  SESSION_LATE: 500,
  /** On plain HTTP in production no session may be created. */
  SESSION_INSECURE: 500,
  /** The store failed; `cause` has its error. */
  SESSION_STORE: 503,
  /** The store did not answer within `storeTimeout`. */
  SESSION_STORE_TIMEOUT: 503,
  /** Every attempt to change a record atomically met another change of it. */
  SESSION_CONFLICT: 503,
  /** What is stored is damaged, or of a newer format. */
  SESSION_UNREADABLE: 500,
  /** These Sessions, or their store, were closed. */
  SESSION_CLOSED: 503,
  /** More than one `sessionMiddleware` is open, so a plain function can't tell which one is meant. */
  SESSION_DEFAULT_AMBIGUOUS: 500,
  /** This session was not made by a request or a store, and can only be read. */
  SESSION_DETACHED: 500,
  /** There is no session with this id. */
  SESSION_NOT_FOUND: 404,
  /** An attribute that was to be created already exists. */
  ATTRIBUTE_EXISTS: 409,
  /** An attribute that was to be changed doesn't exist, or has expired. */
  ATTRIBUTE_NOT_FOUND: 404,
  /** An encrypted attribute was written with a secret that is gone, or was tampered with. */
  ATTRIBUTE_UNREADABLE: 500,
  /** The call needs a cookie, and a clientless session has none. */
  SESSION_CLIENTLESS: 500,
  /** The user context can be set only in a request, in a task, and in `withUserContext`. */
  SESSION_CONTEXT: 500,
  /** No task of this name was defined, or none was started in this session. */
  TASK_UNKNOWN: 500,
  /** A task did not finish in the given time. It may go on. */
  TASK_TIMEOUT: 504,
  /** The user may not do this. The error is the same whether or not there is such a session. */
  NOT_ALLOWED: 403,
  /** This is for signed-in users, and nobody is signed in; an app's error handling leads to its sign-in. */
  NOT_SIGNED_IN: 401,
} as const;

/** A stable code that says what went wrong; see `SessionError`. */
export type SessionErrorCode = keyof typeof STATUS_OF;

/**
 * Every error that coatcheck throws on purpose. `code` is stable; `message` names the thing and the fix, and never
 * holds a token or a stored value; `cause` is the error underneath. `status`, `statusCode` and `expose` are those of
 * `http-errors`, which the error handling of Express, NestJS and others knows.
 */
export class SessionError extends Error {
  /** What went wrong. */
  readonly code: SessionErrorCode;
  /** The HTTP status of a request that fails with this error. */
  readonly status: number;
  /** The same as `status`. */
  readonly statusCode: number;
  /** Whether the client may read the message: true where the request was wrong, and not the server. */
  readonly expose: boolean;
  /**
   * Of a kill that failed in the middle: how many sessions it has ended; others are still live. Absent for all other
   * errors.
   */
  readonly ended?: number;

  constructor(
    code: SessionErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly ended?: number },
  ) {
    super(message, options);
    this.name = "SessionError";
    this.code = code;
    this.status = STATUS_OF[code];
    this.statusCode = this.status;
    this.expose = this.status < 500;
    if (options?.ended !== undefined) this.ended = options.ended;
  }
}

/** Whether the error says that a stored session is damaged, or of a newer format. */
export function isUnreadable(error: unknown): error is SessionError {
  return error instanceof SessionError && error.code === "SESSION_UNREADABLE";
}

/**
 * Warns the process of an error that nobody listens for. It is given as text, because an error of a test runner's realm
 * is not one of the process's realm.
 */
export function warnOf(error: unknown): void {
  const { message, stack, code } = Object(error) as { message?: unknown; stack?: unknown; code?: unknown };
  process.emitWarning(typeof message === "string" ? message : String(error), {
    type: "CoatcheckWarning",
    ...(typeof code === "string" ? { code } : undefined),
    ...(typeof stack === "string" ? { detail: stack } : undefined),
  });
}
