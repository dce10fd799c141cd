import { createRequire } from "node:module";
import { SessionError } from "../../../errors";

/** What a column holds. */
export type Value = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;

/** A prepared statement: the part of `node:sqlite`'s `StatementSync` that the store uses. */
export interface Statement {
  run(...values: Value[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
  /** Rows as arrays instead of objects: from Node 22.16 on, and cheaper. */
  setReturnArrays?(enabled: boolean): void;
}

/** An open connection: the part of `node:sqlite`'s `DatabaseSync` that the store uses. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** A module with the interface of `node:sqlite`. */
export interface Driver {
  readonly DatabaseSync: new (path: string, options?: { readonly readOnly?: boolean }) => Database;
}

/** Has the same interface, and binaries for Node 20 in the package itself. */
export const PEER = "@photostructure/sqlite";

/** The driver of this process: Node's own SQLite where there is one, otherwise the optional peer. Throws `SESSION_STORE`. */
export function sqliteDriver(): Driver {
  return nodeDriver() ?? peerDriver();
}

/** Node's own, from 22.13 on. */
export function nodeDriver(): Driver | undefined {
  return withoutItsWarning(() => process.getBuiltinModule("node:sqlite") as Driver | undefined);
}

export function peerDriver(): Driver {
  const path = peerPath();
  if (path === undefined) {
    throw new SessionError(
      "SESSION_STORE",
      `Node ${process.versions.node} has no SQLite of its own: run "npm install ${PEER}", or use Node 22.13 or newer.`,
    );
  }
  return load(path) as Driver;
}

/** Where the peer's module is, for a worker that loads it too; undefined where it is not installed. */
export function peerPath(): string | undefined {
  try {
    return load.resolve(PEER);
  } catch {
    return undefined;
  }
}

// Bundlers leave alone what this loads, so a bundle for Node 22 or newer needs nothing beside it.
const load = createRequire(__filename);

/** Node 22 warns that its SQLite is experimental, once in a process; other warnings pass. */
function withoutItsWarning<T>(work: () => T): T {
  const emitWarning = Object.getOwnPropertyDescriptor(process, "emitWarning");
  const pass = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]) => {
    if (!String(args[0]).startsWith("SQLite is an experimental feature")) pass(...args);
  };
  try {
    return work();
  } finally {
    if (emitWarning !== undefined) Object.defineProperty(process, "emitWarning", emitWarning);
  }
}
