import { aClock, aText } from "../../options/reader/option-kinds";
import { readOptions } from "../../options/reader/read-options";
import type { Option, OptionTable } from "../../options/reader/read-options";
import { FOREIGN_STORE_OPTIONS } from "../store-options";
import type { StoreOptions } from "../store-options";

export interface SqliteStoreOptions extends StoreOptions {
  /** The folder of the session file; where it is missing it is made, for this user only. Default `./.sessions`. */
  readonly path?: string;
}

const FOLDER = 'write path: "./.sessions", the folder that is to hold the session file';

const ENTRIES = {
  path: {
    read: aText("./.sessions", (path) => path !== "" && !path.includes("\0"), "write the path of a folder"),
    foreign: {
      ...{ dir: FOLDER, folder: FOLDER, file: FOLDER, filename: FOLDER },
      ...{ db: FOLDER, database: FOLDER, client: FOLDER },
    },
  },
  now: { read: aClock },
} as const satisfies Record<keyof SqliteStoreOptions, Option>;

const SQLITE_OPTIONS: OptionTable<typeof ENTRIES> = {
  of: "SqliteStore",
  example: '{ path: "./.sessions" }',
  options: ENTRIES,
  foreign: { ...FOREIGN_STORE_OPTIONS, table: "leave it out: the session file is this store's own" },
};

/** The options with their defaults. Throws `SESSION_CONFIG` where one can't be used. */
export function resolveSqliteOptions(options: SqliteStoreOptions) {
  return readOptions(SQLITE_OPTIONS, options);
}
