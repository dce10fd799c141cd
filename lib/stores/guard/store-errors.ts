import { SessionError } from "../../errors";

/** The failure of a store's operation as the rest of the library sees it; the store's own error is the `cause`. */
export function storeError(operation: string, error: unknown): Error {
  if (error instanceof SessionError) return error;
  return new SessionError("SESSION_STORE", `The session store failed at "${operation}".`, { cause: error });
}

/** The error of an operation that the store has not answered in time. */
export function timeoutError(operation: string, timeoutMs: number): SessionError {
  return new SessionError(
    "SESSION_STORE_TIMEOUT",
    `The session store did not answer "${operation}" within ${timeoutMs} ms (storeTimeout).`,
  );
}

/** Starts an operation of a store, which may also throw where it should reject. */
export function started<T>(operation: string, start: () => T): T {
  try {
    return start();
  } catch (error) {
    throw storeError(operation, error);
  }
}

/** Whether `error` is `own`, or was thrown because of it. */
export function isDueTo(error: unknown, own: unknown): boolean {
  return error === own || (error instanceof Error && error.cause === own);
}
