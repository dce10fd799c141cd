import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { open } from "lmdb";
import type { RootDatabase } from "lmdb";
import { SessionError } from "../errors";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import { assertReadable } from "./lmdb-data-file";
import { endedFormat, liveFormat } from "./lmdb-record";
import { LmdbTable } from "./lmdb-table";

const LMDB_OPTIONS = {
  noSubdir: false,
  separateFlushed: true,
  // With it, a commit that fails rejects a promise that nobody can get hold of, and that ends the process.
  eventTurnBatching: false,
  // So a transaction begins at the end of a turn of the event loop, with all that was written in it.
  txnStartThreshold: 1_000_000,
};

/** What lmdb answers a write with: settled when it is committed, and `flushed` when it is on disk. */
export type LmdbWrite = Promise<boolean> & { readonly flushed?: PromiseLike<unknown> };

/** A folder of session files, open in this process; other processes, and other stores of this one, may have it open too. */
export class LmdbFolder {
  /** Absolute. */
  readonly path: string;
  readonly live: LmdbTable<SessionRecord>;
  readonly ended: LmdbTable<EndedRecord>;
  readonly #root: RootDatabase;
  readonly #dropSnapshot: () => void;
  #inSnapshot = false;
  #lastCommitFailed = false;
  #writesUnderWay = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** Makes the folder where it is missing. Throws `SESSION_STORE` where it can't be made or opened. */
  constructor(path: string) {
    this.path = resolve(path);
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      assertReadable(this.path);
      this.#root = open({ ...LMDB_OPTIONS, path: this.path });
      this.live = new LmdbTable(this.#root, "live", liveFormat);
      this.ended = new LmdbTable(this.#root, "ended", endedFormat);
    } catch (cause) {
      throw new SessionError(
        "SESSION_STORE",
        `The session folder ${this.path} can't be opened: ${messageOf(cause)}. Let this user write there, or give LmdbStore another path.`,
        { cause },
      );
    }
    this.#dropSnapshot = () => {
      this.#inSnapshot = false;
      this.#root.resetReadTxn();
    };
  }

  /**
   * Runs synchronous reads, all on one snapshot. The reads of one JavaScript task share theirs, and no more than that:
   * what another process has acknowledged can only be heard of in a later task, and is seen there.
   */
  read<T>(reads: () => T): T {
    if (!this.#inSnapshot) {
      this.#inSnapshot = true;
      queueMicrotask(this.#dropSnapshot);
    }
    try {
      return reads();
    } catch (cause) {
      throw cause instanceof SessionError ? cause : this.#failure("read", cause);
    }
  }

  /** Runs an operation that writes; `close` waits for it. */
  async writing<T>(operation: () => Promise<T>): Promise<T> {
    this.assertOpen();
    this.#writesUnderWay += 1;
    try {
      return await operation();
    } finally {
      this.#writesUnderWay -= 1;
      if (this.#writesUnderWay === 0) this.#onIdle?.();
    }
  }

  /** Waits until a write, or several, are committed: every process sees them then, and they outlive this one. */
  async committed<T>(write: () => Promise<T>): Promise<T> {
    try {
      const answer = await write();
      this.#lastCommitFailed = false;
      return answer;
    } catch (error) {
      this.#lastCommitFailed = true;
      throw this.#failure("written", await underlying(error));
    }
  }

  /** Waits until a write is on disk. */
  async durable(write: () => LmdbWrite): Promise<boolean> {
    let written: LmdbWrite | undefined;
    const done = await this.committed(() => (written = write()));
    if (done) await written?.flushed;
    return done;
  }

  /** Throws `SESSION_CLOSED` once `close` was called. */
  assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new SessionError("SESSION_CLOSED", `This LmdbStore of ${this.path} was closed; make a new one.`);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#writesUnderWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    const closed = this.#root.close();
    // lmdb waits until the last transaction is on disk, and for ever where that one failed.
    if (!this.#lastCommitFailed) await closed;
  }

  #failure(what: string, cause: unknown): SessionError {
    return new SessionError(
      "SESSION_STORE",
      `The session folder ${this.path} can't be ${what}: ${messageOf(cause)}. See that its disk has room and works.`,
      { cause },
    );
  }
}

/** lmdb rejects a failed commit with an error that promises the real one. */
async function underlying(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && "commitError" in error)) return error;
  return (error.commitError as Promise<never>).catch((reason: unknown) => reason);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
