import { FOREIGN_STORE_OPTIONS } from "../../options/reader/foreign-names";
import { aFunction, anObject, aText, aTextOrNone, MAX_TIMER_MS } from "../../options/reader/option-kinds";
import { readOptions } from "../../options/reader/read-options";
import type { OptionTable, ReadOption } from "../../options/reader/read-options";
import { refuse } from "../../options/reader/refused-options";
import type { DatastoreConnectionOptions } from "./calls/datastore-connection";
import { isKeyName } from "./size-limits";
import type { StoreOptions } from "../store";

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

const ENTRIES = {
  kind: aText("session", isKeyName, 'write the name of a kind, such as "session"'),
  databaseId: aText("", (id) => id !== "(default)", 'write a string, and "" for the default database'),
  namespace: aText("", () => true, "write a string"),
  timeoutMs,
  projectId: aTextOrNone((id) => id !== "", "write the id of a project, or leave it out"),
  emulatorHost: aTextOrNone(() => true, "write host:port, such as 127.0.0.1:8081"),
  clientOptions: anObject('{ keyFilename: "key.json" }'),
  now: aFunction("no arguments that returns milliseconds", Date.now),
} satisfies Record<keyof DatastoreStoreOptions, ReadOption<unknown>>;

const DATASTORE_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "DatastoreStore",
  example: '{ projectId: "my-project" }',
  entries: ENTRIES,
  foreign: new Map([
    ...FOREIGN_STORE_OPTIONS,
    ["dataset", "write projectId, databaseId and namespace"],
    ["database", "write databaseId"],
    ["timeout", "write timeoutMs: 5_000"],
    ["credentials", "write clientOptions: { credentials }"],
    ["keyFilename", "write clientOptions: { keyFilename }"],
    ["keyFile", "write clientOptions: { keyFilename }"],
    ["apiEndpoint", 'write emulatorHost: "127.0.0.1:8081" for an emulator, or clientOptions: { apiEndpoint }'],
  ]),
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

function timeoutMs(value: unknown = 5_000, option: string): number {
  if (typeof value === "number" && value > 0 && value <= MAX_TIMER_MS) return value;
  return refuse(option, value, "write a number of milliseconds");
}
