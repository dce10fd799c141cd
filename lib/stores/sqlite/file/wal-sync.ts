import { closeSync, fdatasync, openSync } from "node:fs";
import { SessionError } from "../../../errors";

/**
 * Brings what was committed to the disk: `fdatasync` of the WAL file, in a thread of libuv's, shared by all that wait for it. A WAL holds whole
 * transactions in their order, each page with a checksum over all before it, so once the file is synced, what was committed before is found again after
 * a power failure. (https://www.sqlite.org/walformat.html, "Recovery")
 */
export class WalSync {
  readonly #path: string;
  readonly #file: number;
  #waiting: Waiting[] = [];
  #isSyncing = false;
  #failure: SessionError | undefined;
  #onIdle: (() => void) | undefined;

  /** `path` is that of a session file that is open, so that its WAL is there. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
    // SQLite's locks are on the other two files, so that closing this one is harmless.
    this.#file = openSync(this.#path, "r+");
  }

  /** Calls `done` once everything that is committed now is on disk, or with `SESSION_STORE`. */
  afterwards(done: (failure?: SessionError) => void): void {
    this.#waiting.push(done);
    if (!this.#isSyncing) this.#sync();
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    if (this.#isSyncing) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    closeSync(this.#file);
  }

  #sync(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isSyncing = true;
    fdatasync(this.#file, (error) => {
      // After a sync that failed, the kernel may take the lost pages for written, and no later one can be believed.
      if (error !== null) this.#failure ??= this.#failed(error);
      for (const done of waiting) done(this.#failure);
      this.#isSyncing = false;
      if (this.#waiting.length > 0) this.#sync();
      else this.#onIdle?.();
    });
  }

  #failed(cause: Error): SessionError {
    return new SessionError(
      "SESSION_STORE",
      `${this.#path} can't be brought to the disk: ${cause.message}; see to the disk and restart this process.`,
      { cause },
    );
  }
}

type Waiting = (failure?: SessionError) => void;
