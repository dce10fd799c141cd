import { FOREIGN_STORE_OPTIONS } from "../../options/reader/foreign-names";
import { aFunction, aText } from "../../options/reader/option-kinds";
import { readOptions } from "../../options/reader/read-options";
import type { OptionTable, ReadOption } from "../../options/reader/read-options";
import type { StoreOptions } from "../store";

export interface SqliteStoreOptions extends StoreOptions {
  /** The folder of the session file; where it is missing it is made, for this user only. Default `./.sessions`. */
  readonly path?: string;
}

const FOLDER = 'write path: "./.sessions", the folder that is to hold the session file';

const ENTRIES = {
  path: aText("./.sessions", (path) => path !== "" && !path.includes("\0"), "write the path of a folder"),
  now: aFunction("no arguments that returns milliseconds", Date.now),
} satisfies Record<keyof SqliteStoreOptions, ReadOption<unknown>>;

const SQLITE_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "SqliteStore",
  example: '{ path: "./.sessions" }',
  entries: ENTRIES,
  foreign: new Map([
    ...FOREIGN_STORE_OPTIONS,
    ...["dir", "folder", "file", "filename", "db", "database", "client"].map((name) => [name, FOLDER] as const),
    ["table", "leave it out: the session file is this store's own"],
  ]),
};

/** The options with their defaults. Throws `SESSION_CONFIG` where one can't be used. */
export function resolveSqliteOptions(options: SqliteStoreOptions) {
  return readOptions(SQLITE_OPTIONS, options);
}
