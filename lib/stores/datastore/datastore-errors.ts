import { SessionError } from "../../errors";
import type { Mutation } from "./wire/messages";

/** gRPC status codes (https://grpc.io/docs/guides/status-codes) that mean something to the store. */
const STATUS = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** What the response to a commit proves: that it was applied, or that nothing of it was, and why. */
export type CommitOutcome = "applied" | "missing" | "exists" | "conflict";

/**
 * What a refused commit proves; undefined where it proves nothing. `FAILED_PRECONDITION` and `ABORTED` both say that
 * the stored version is another one; `ABORTED` also means contention.
 */
export function refusalOf(
  error: unknown,
  mutations: readonly Mutation[],
): Exclude<CommitOutcome, "applied"> | undefined {
  const some = (field: keyof Mutation) => mutations.some((mutation) => mutation[field] !== undefined);
  switch (codeOf(error)) {
    case STATUS.NOT_FOUND:
      return some("update") && !isMissingDatabase(error) ? "missing" : undefined;
    case STATUS.ALREADY_EXISTS:
      return some("insert") ? "exists" : undefined;
    case STATUS.FAILED_PRECONDITION:
      return some("baseVersion") ? "conflict" : undefined;
    case STATUS.ABORTED:
      return "conflict";
    default:
      return undefined;
  }
}

/** Whether Datastore was not reached, so that a read may be tried again. */
export function isUnavailable(error: unknown): boolean {
  return codeOf(error) === STATUS.UNAVAILABLE;
}

/** Whether Datastore found the request itself wrong. That proves that nothing of it was applied. */
export function isInvalid(error: unknown): boolean {
  return error instanceof Error && codeOf(error.cause) === STATUS.INVALID_ARGUMENT;
}

/** The error that callers of the store get. `call` names the call to Datastore that failed. */
export function datastoreError(call: string, error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const cause = { cause: error };
  switch (codeOf(error)) {
    case STATUS.DEADLINE_EXCEEDED:
      return new SessionError("SESSION_STORE_TIMEOUT", `Datastore did not answer ${call} in time.`, cause);
    case STATUS.INVALID_ARGUMENT:
      return /maximum entity size|too (big|large)|longer than/i.test(messageOf(error))
        ? new SessionError("SESSION_TOO_LARGE", `Datastore refused ${call}: the session is too large.`, cause)
        : failed(call, error);
    case STATUS.PERMISSION_DENIED:
    case STATUS.UNAUTHENTICATED:
      return failed(call, error, "Give the service account the role Cloud Datastore User (roles/datastore.user).");
    case STATUS.NOT_FOUND:
      return failed(call, error, "Create the database in Datastore mode, or name another one with databaseId.");
    default:
      return failed(call, error);
  }
}

export function timeoutError(call: string, timeoutMs: number): SessionError {
  return new SessionError("SESSION_STORE_TIMEOUT", `Datastore did not answer ${call} within ${timeoutMs} ms.`);
}

/** For a call that was not sent in time, because Datastore is slower than the calls come in. */
export function waitedError(call: string, timeoutMs: number): SessionError {
  const text = `A ${call} waited ${timeoutMs} ms for others and was not sent to Datastore. Look for what makes Datastore slow.`;
  return new SessionError("SESSION_STORE_TIMEOUT", text);
}

/** For a call that is refused at once, because too many wait already. */
export function busyError(call: string, waiting: number): SessionError {
  return new SessionError(
    "SESSION_STORE",
    `Datastore is too slow for this process: ${waiting} requests wait for a ${call}, and no more are taken. ` +
      "Look for what makes Datastore slow, or run more instances.",
  );
}

/** A copy of the error for one of several callers: what an app sets on its error must not show up on another's. */
export function ownError(error: unknown): Error {
  if (error instanceof SessionError) return new SessionError(error.code, error.message, { cause: error.cause });
  return error instanceof Error ? error : new Error(String(error));
}

/** What went wrong before Datastore could be asked anything: no project, no credentials. */
export function connectionError(error: unknown): SessionError {
  return new SessionError(
    "SESSION_STORE",
    "DatastoreStore found no project or credentials. On a laptop set DATASTORE_EMULATOR_HOST, or DATASTORE_PROJECT_ID and " +
      "GOOGLE_APPLICATION_CREDENTIALS (or run `gcloud auth application-default login`); " +
      `on Google Cloud give the service a service account. (${messageOf(error)})`,
    { cause: error },
  );
}

function failed(call: string, error: unknown, advice?: string): SessionError {
  const text = `Datastore failed at ${call}: ${messageOf(error)}${advice === undefined ? "" : `. ${advice}`}`;
  return new SessionError("SESSION_STORE", text, { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// "Not found" may also mean that the database itself is missing ("The database … does not exist", "The project … does
// not exist or it does not contain an active … database"). That must not be taken for a session that was ended.
function isMissingDatabase(error: unknown): boolean {
  return /\b(database|project)\b.*\bdoes not exist\b/is.test(messageOf(error));
}
