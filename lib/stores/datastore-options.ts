import { SessionError } from "../errors";
import type { DatastoreConnectionOptions } from "./datastore-connection";
import { isKeyName } from "./datastore-limits";
import type { StoreOptions } from "./store";

export interface DatastoreStoreOptions extends StoreOptions, DatastoreConnectionOptions {
  /** The kind of live sessions; ended ones are kept as `<kind>-ended`. Default `"session"`. */
  readonly kind?: string;
  /** Default `""`, the project's default database. */
  readonly databaseId?: string;
  /** Default `""`. */
  readonly namespace?: string;
  /**
   * The deadline of every call to Datastore, in milliseconds; nothing is sent later than this after it was asked for. Default 5,000. Give
   * it the value of `storeTimeout`: with more, a change may be stored long after its request was told that it failed.
   */
  readonly timeoutMs?: number;
}

/** The longest time that a timer of Node can measure, in milliseconds. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The options with their defaults. Throws `SESSION_CONFIG` where one can't be used. */
export function resolveDatastoreOptions(options: DatastoreStoreOptions) {
  const { kind = "session", namespace = "", databaseId = "", timeoutMs = 5_000, now = Date.now } = options;
  const check = (name: string, value: unknown, isRight: boolean, instead: string) => {
    if (isRight) return;
    throw new SessionError(
      "SESSION_CONFIG",
      `The option ${name} of DatastoreStore is ${JSON.stringify(value)}; ${instead}.`,
    );
  };
  check("kind", kind, isText(kind) && isKeyName(kind), 'write the name of a kind, such as "session"');
  check("namespace", namespace, isText(namespace), "write a string");
  check(
    "databaseId",
    databaseId,
    isText(databaseId) && databaseId !== "(default)",
    'write a string, and "" for the default database',
  );
  check(
    "timeoutMs",
    timeoutMs,
    Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS,
    "write a number of milliseconds",
  );
  return { ...options, kind, namespace, databaseId, timeoutMs, now };
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
