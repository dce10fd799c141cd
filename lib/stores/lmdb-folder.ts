import { resolve } from "node:path";
import type { RootDatabase, Transaction } from "lmdb";
import { SessionError } from "../errors";
import type { EndedRecord, SessionRecord } from "../record/session-record";
import { LmdbHandle } from "./lmdb-handle";
import type { LmdbTable } from "./lmdb-table";
import { OwnContext } from "./own-context";

/** How long the reason of a failed commit is waited for. */
const REASON_MS = 100;

/** LMDB's code for a transaction that it will not commit. */
const MDB_BAD_TXN = -30782;

/** A folder of session files, open in this process; other processes, and other stores of this one, may have it open too. */
export class LmdbFolder {
  /** Absolute. */
  readonly path: string;
  readonly live: LmdbTable<SessionRecord>;
  readonly ended: LmdbTable<EndedRecord>;
  readonly #context = new OwnContext();
  readonly #handle: LmdbHandle;
  readonly #root: RootDatabase;
  #writesUnderWay = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** Makes the folder where it is missing. Throws `SESSION_STORE` where it can't be made or opened. */
  constructor(path: string) {
    this.path = resolve(path);
    try {
      this.#handle = LmdbHandle.hold(this.path);
    } catch (cause) {
      throw new SessionError(
        "SESSION_STORE",
        `The session folder ${this.path} can't be opened: ${messageOf(cause)}. Let this user write there, or give LmdbStore another path.`,
        { cause },
      );
    }
    this.#root = this.#handle.root;
    this.live = this.#handle.live;
    this.ended = this.#handle.ended;
  }

  /**
   * Runs synchronous reads, all on one snapshot, which is as new as this call: lmdb itself would go on with the one that it
   * has open, for a millisecond or two, and not see what another process has acknowledged meanwhile.
   */
  read<T>(reads: () => T): T {
    try {
      this.#root.resetReadTxn();
      return reads();
    } catch (cause) {
      throw cause instanceof SessionError ? cause : this.#failure("read", cause);
    }
  }

  /** How often this process has used the folder: loads, and operations that write. */
  get uses(): number {
    return this.#handle.uses;
  }

  /** Takes note of a load. Throws `SESSION_CLOSED` once `close` was called. */
  loading(): void {
    this.assertOpen();
    this.#handle.uses += 1;
  }

  /** Runs an operation that writes; `close` waits for it. Chained by hand: an `await` costs a promise more per request. */
  writing<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(this.#closed());
    this.#handle.uses += 1;
    this.#writesUnderWay += 1;
    return begun(operation).then(
      (value) => {
        this.#written();
        return value;
      },
      (error: unknown) => {
        this.#written();
        throw error;
      },
    );
  }

  /**
   * Runs reads over several turns of the event loop, all on one snapshot; `close` waits for them. LMDB can't use pages again that are
   * freed meanwhile, so it should be short.
   */
  onSnapshot<T>(reads: (snapshot: Transaction) => Promise<T>): Promise<T> {
    return this.writing(async () => {
      const snapshot = this.read(() => this.#root.useReadTransaction());
      try {
        return await reads(snapshot);
      } finally {
        snapshot.done();
      }
    });
  }

  /**
   * Waits, in a context of the folder's own, until a write, or several, are committed: every process sees them then, and they are on disk. `write` is
   * called once more where LMDB gave up its transaction. Where it rejects otherwise, the writes may be there all the same, if it failed at the last page.
   * Calls `settled` before anyone who waits for it goes on, without an answer where it failed.
   */
  committed<T>(write: () => Promise<T>, settled?: (answer: T | undefined) => void): Promise<T> {
    const succeeded = (answer: T) => {
      settled?.(answer);
      return answer;
    };
    const failed = (reason: unknown): never => {
      settled?.(undefined);
      throw this.#failure("written", reason);
    };
    return this.#context.run(() =>
      begun(write).then(succeeded, async (error: unknown) => {
        const reason = await reasonOf(error);
        if (!isGivenUp(reason)) return failed(reason);
        return begun(write).then(succeeded, async (again: unknown) => failed(await reasonOf(again)));
      }),
    );
  }

  /**
   * Runs reads and writes inside one transaction, between which nobody writes, in this process or another; all other writes wait meanwhile, and so does
   * the event loop, so it should be short, and only for what others came before again and again. On disk when it resolves. What it throws is rejected
   * with, once what it wrote before is there.
   */
  async alone<T>(work: () => T): Promise<T> {
    const answer = await this.#transaction(work);
    return answer();
  }

  /** The same for many deletions, which cost about half of what they do one by one. Whatever fails rejects with `SESSION_STORE`. */
  async together<T>(deletions: () => T): Promise<T> {
    const answer = await this.#transaction(deletions);
    try {
      return answer();
    } catch (cause) {
      throw this.#failure("written", cause);
    }
  }

  async #transaction<T>(work: () => T): Promise<() => T> {
    let answer = (): T => {
      throw this.#failure("written", "a transaction did nothing");
    };
    const inside = () => {
      try {
        const value = work();
        answer = () => value;
      } catch (error) {
        answer = () => {
          throw error;
        };
      }
    };
    await this.committed(() => this.#root.transaction(inside));
    return answer;
  }

  /** Throws `SESSION_CLOSED` once `close` was called. */
  assertOpen(): void {
    if (this.#closing !== undefined) throw this.#closed();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#writesUnderWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#handle.letGo();
  }

  #written(): void {
    this.#writesUnderWay -= 1;
    if (this.#writesUnderWay === 0) this.#onIdle?.();
  }

  #closed(): SessionError {
    return new SessionError("SESSION_CLOSED", `This LmdbStore of ${this.path} was closed; make a new one.`);
  }

  #failure(what: string, cause: unknown): SessionError {
    return new SessionError(
      "SESSION_STORE",
      `The session folder ${this.path} can't be ${what}: ${messageOf(cause)}. See that its disk has room and works.`,
      { cause },
    );
  }
}

async function rejected(error: unknown): Promise<never> {
  throw error;
}

/** What throws at once rejects like the rest. */
function begun<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return operation();
  } catch (error) {
    return rejected(error);
  }
}

/** lmdb rejects the writes of a failed commit with errors that promise the real one, and now and then it never tells that. */
function reasonOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && "commitError" in error)) return Promise.resolve(error);
  const told = error.commitError as Promise<never>;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, REASON_MS, error);
    told.catch((reason: unknown) => {
      clearTimeout(timer);
      resolve(reason);
    });
  });
}

/**
 * Whether LMDB gave up a transaction, and so wrote nothing of it. It does now and then where its list of free pages got mixed up, which says nothing about
 * the writes; it drops that list, and the next transaction reads it anew. Of an error of the disk it does not tell whether it came before the writes were there.
 */
function isGivenUp(reason: unknown): boolean {
  return reason instanceof Error && "code" in reason && reason.code === MDB_BAD_TXN;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
