import { mkdirSync, realpathSync } from "node:fs";
import { open } from "lmdb";
import type { RootDatabase } from "lmdb";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import { assertReadable } from "./lmdb-data-file";
import { endedFormat, liveFormat } from "./lmdb-record";
import { LmdbTable } from "./lmdb-table";

const LMDB_OPTIONS = {
  noSubdir: false,
  // Four times the system's, in folders that are made from now on: see docs/decisions/0030.
  pageSize: 16_384,
  // Otherwise a process that is killed while it syncs takes the others with it: see docs/decisions/0031.
  overlappingSync: false,
  // With it, a commit that fails rejects a promise that nobody can get hold of, and that ends the process.
  eventTurnBatching: false,
  // So a transaction begins at the end of a turn of the event loop, with all that was written in it.
  txnStartThreshold: 1_000_000,
};

/** Those that are open in this process, by the real paths of their folders. */
const handles = new Map<string, LmdbHandle>();

/**
 * lmdb's handle on a folder: one for all that have the folder open in this process. A second one would be opened by transactions on the main thread, which
 * would wait for ever while another transaction waits for the main thread.
 */
export class LmdbHandle {
  readonly root: RootDatabase;
  readonly live: LmdbTable<SessionRecord>;
  readonly ended: LmdbTable<EndedRecord>;
  /** How often this process has used the folder: loads, and operations that write. */
  uses = 0;
  readonly #path: string;
  #holders = 0;

  private constructor(path: string) {
    this.#path = path;
    assertReadable(path);
    this.root = open({ ...LMDB_OPTIONS, path });
    this.live = new LmdbTable(this.root, "live", liveFormat);
    this.ended = new LmdbTable(this.root, "ended", endedFormat);
  }

  /** Makes the folder where it is missing, and opens it where it isn't open. Throws where it can't be. */
  static hold(folder: string): LmdbHandle {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = realpathSync(folder);
    const handle = handles.get(path) ?? new LmdbHandle(path);
    handles.set(path, handle);
    handle.#holders += 1;
    return handle;
  }

  /** To be called once by each that holds it, when it writes and reads no more; the last one closes it. */
  async letGo(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    handles.delete(this.#path);
    await this.root.close();
  }
}
