import type { Database, RootDatabase } from "lmdb";
import { keyEncoder } from "../../lib/stores/lmdb-key-encoder";

/** One of the databases of a session folder, to be read and changed past the store. A process has one order of keys for each, which the encoder decides. */
export function rawDatabase(root: RootDatabase, name: string): Database<Buffer, string> {
  const options = { keyEncoder, encoding: "binary" as const, useVersions: true };
  return root.openDB<Buffer, string>(name, options);
}
