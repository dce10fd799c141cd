import { aClock, anObject, aText, aTextOrNone, milliseconds } from "../../options/reader/option-kinds";
import { readOptions } from "../../options/reader/read-options";
import type { Option, OptionTable } from "../../options/reader/read-options";
import { CALL_TIMEOUT_MS } from "./calls/call-deadline";
import type { DatastoreConnectionOptions } from "./calls/datastore-connection";
import { isKeyName } from "./size-limits";
import { FOREIGN_STORE_OPTIONS } from "../store-options";
import type { StoreOptions } from "../store-options";

export interface DatastoreStoreOptions extends StoreOptions, DatastoreConnectionOptions {
  /** The kind of live sessions; ended ones are kept as `<kind>-ended`. Default `"session"`. */
  readonly kind?: string;
  /** Default `""`, the project's default database. */
  readonly databaseId?: string;
  /** Default `""`. */
  readonly namespace?: string;
  /**
   * The deadline of every call to Datastore, in milliseconds; nothing is sent later than this after it was asked for.
   * Default 5,000. Give it the value of `storeTimeout`: with more, a change may be stored long after its request was
   * told that it failed.
   */
  readonly timeoutMs?: number;
}

const KEY_FILE = "write clientOptions: { keyFilename }";

const ENTRIES = {
  kind: { read: aText("session", isKeyName, 'write the name of a kind, such as "session"') },
  databaseId: {
    read: aText("", (id) => id !== "(default)", 'write a string, and "" for the default database'),
    foreign: { database: "write databaseId" },
  },
  namespace: { read: aText("", () => true, "write a string") },
  timeoutMs: { read: milliseconds(CALL_TIMEOUT_MS), foreign: { timeout: "write timeoutMs: 5_000" } },
  projectId: {
    read: aTextOrNone((id) => id !== "", "write the id of a project, or leave it out"),
    foreign: { dataset: "write projectId, databaseId and namespace" },
  },
  emulatorHost: {
    read: aTextOrNone(() => true, "write host:port, such as 127.0.0.1:8081"),
    foreign: {
      apiEndpoint: 'write emulatorHost: "127.0.0.1:8081" for an emulator, or clientOptions: { apiEndpoint }',
    },
  },
  clientOptions: {
    read: anObject('{ keyFilename: "key.json" }'),
    foreign: { credentials: "write clientOptions: { credentials }", keyFilename: KEY_FILE, keyFile: KEY_FILE },
  },
  now: { read: aClock },
} as const satisfies Record<keyof DatastoreStoreOptions, Option>;

const DATASTORE_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "DatastoreStore",
  example: '{ projectId: "my-project" }',
  options: ENTRIES,
  foreign: FOREIGN_STORE_OPTIONS,
};

/** The options with their defaults. Throws `SESSION_CONFIG` where one can't be used. */
export function resolveDatastoreOptions(options: DatastoreStoreOptions) {
  const { projectId, emulatorHost, clientOptions, ...others } = readOptions(DATASTORE_OPTIONS, options);
  return {
    ...others,
    ...(projectId === undefined ? {} : { projectId }),
    ...(emulatorHost === undefined ? {} : { emulatorHost }),
    ...(clientOptions === undefined ? {} : { clientOptions }),
  };
}
