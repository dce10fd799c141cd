import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, statfsSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SessionError } from "../../../errors";
import { prepareSchema } from "../tables/schema";
import { warnOfContainerLayer } from "./container-layer";
import { isBusy, resultCode, sqliteDriver, sqliteFailure } from "./driver";
import type { Database, Driver, Row, Statement, Value } from "./driver";

export const FILE_NAME = "sessions.db";
/** How long opening the file may wait for other processes, in milliseconds; it is synchronous, and happens once. */
const OPEN_WAIT_MS = 5_000;
/** How often reads check that the file is still the one that was opened, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * The session file of a folder, open in this process; other processes, and other stores of this one, may have it open
 * too.
 */
export class SessionFile {
  /** Absolute. */
  readonly path: string;
  readonly db: Database;
  readonly #dataVersion: Statement;
  readonly #device: number;
  readonly #inode: number;
  #lookedAt = 0;

  /** Makes the folder and the file where they are missing, for this user only. Throws `SESSION_STORE`. */
  constructor(folder: string, driver: Driver = sqliteDriver()) {
    this.path = join(resolve(folder), FILE_NAME);
    let db: Database | undefined;
    try {
      makeFolder(resolve(folder));
      assertLocal(resolve(folder));
      createPrivately(this.path);
      db = new driver.DatabaseSync(this.path);
      db.exec(`PRAGMA busy_timeout = ${OPEN_WAIT_MS}`);
      prepareSchema(db, this.path);
      db.exec("PRAGMA busy_timeout = 0");
      this.#dataVersion = db.prepare("PRAGMA data_version");
      this.#dataVersion.setReturnArrays?.(true);
      const { dev, ino } = statSync(this.path);
      this.#device = dev;
      this.#inode = ino;
      warnOfContainerLayer(realpathSync(dirname(this.path)));
    } catch (cause) {
      db?.close();
      throw this.#openFailure(cause);
    }
    this.db = db;
  }

  /** A number that changes whenever another connection, of this process or another, has written. */
  dataVersion(): number {
    const row: Row | readonly Value[] | undefined = this.#dataVersion.get();
    return (Array.isArray(row) ? row[0] : row?.data_version) as number;
  }

  /**
   * Runs synchronous reads. Where the file is locked, they are tried again until the time is over; it is locked for
   * moments only, while another process recovers it after a crash or closes it.
   */
  read<T>(reads: () => T): T | Promise<T> {
    if (Date.now() - this.#lookedAt > LOOK_MS) this.assertThere();
    try {
      return reads();
    } catch (cause) {
      if (isBusy(cause)) return this.#readLater(reads);
      throw this.failure("read", cause);
    }
  }

  async #readLater<T>(reads: () => T): Promise<T> {
    const lock = new LockWait();
    for (;;) {
      await lock.pause();
      try {
        return reads();
      } catch (cause) {
        if (!isBusy(cause) || lock.isOver) throw this.failure("read", cause);
      }
    }
  }

  /**
   * Throws `SESSION_STORE` where the file was deleted, moved or replaced: other processes would not see what this one
   * writes.
   */
  assertThere(): void {
    const { dev, ino } = this.#stats() ?? {};
    if (dev !== this.#device || ino !== this.#inode) {
      throw new SessionError(
        "SESSION_STORE",
        `The session file ${this.path} was deleted, moved or replaced while it was open; restart this process.`,
      );
    }
    this.#lookedAt = Date.now();
  }

  /** Undefined where there is no such file. */
  #stats(): Stats | undefined {
    try {
      return statSync(this.path, { throwIfNoEntry: false });
    } catch (cause) {
      throw sqliteFailure(this.path, "found", cause);
    }
  }

  /** `SESSION_STORE` for an error of SQLite's; other errors are returned as they are. */
  failure(doing: "opened" | "read" | "written", cause: unknown): unknown {
    return resultCode(cause) === undefined ? cause : sqliteFailure(this.path, doing, cause);
  }

  close(): void {
    this.db.close();
  }

  #openFailure(cause: unknown): SessionError {
    const error = sqliteFailure(this.path, "opened", cause);
    if (error === cause || resultCode(cause) !== undefined) return error;
    return new SessionError(
      "SESSION_STORE",
      `${error.message} Let this user write there, or give SqliteStore another path.`,
      {
        cause,
      },
    );
  }
}

/** Makes a folder where it is missing, with the missing folders above it, and syncs their names to the disk. */
function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) syncFolder(dirname(made));
}

/** Syncs the names in a folder to the disk. Windows does so by itself and can't open a folder. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const opened = openSync(folder, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** SQLite gives its other files the mode of this one. An existing file keeps its own mode. */
function createPrivately(path: string): void {
  try {
    // Never an existing file: closing it would drop the locks that another connection of this process has on it
    // (POSIX).
    closeSync(openSync(path, "wx", 0o600));
    syncFolder(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function assertLocal(folder: string): void {
  const foreign = foreignFileSystem(folder);
  if (foreign?.isNetwork === true) {
    throw new SessionError(
      "SESSION_STORE",
      `The session folder ${folder} is on ${foreign.name}; give SqliteStore a path on a disk of this machine.`,
    );
  }
  if (foreign !== undefined) {
    process.emitWarning(
      `The session folder ${folder} is on ${foreign.name}; SQLite needs a disk of this machine, and only one machine may use it.`,
      { code: "COATCHECK_FILE_SYSTEM" },
    );
  }
}

/** A file system that may not suit SQLite, whose WAL needs memory that all its processes share. */
export interface ForeignFileSystem {
  readonly name: string;
  /**
   * Whether it surely is on another machine; otherwise it may be on another machine or on the host of a virtual
   * machine.
   */
  readonly isNetwork: boolean;
}

/** By the magic numbers of Linux's statfs(2). */
const FOREIGN: ReadonlyMap<number, ForeignFileSystem> = new Map([
  [0x6969, { name: "NFS", isNetwork: true }],
  [0x517b, { name: "SMB", isNetwork: true }],
  [0xff534d42, { name: "CIFS", isNetwork: true }],
  [0xfe534d42, { name: "SMB", isNetwork: true }],
  [0x5346414f, { name: "AFS", isNetwork: true }],
  [0x00c36400, { name: "Ceph", isNetwork: true }],
  [0x0bd00bd0, { name: "Lustre", isNetwork: true }],
  [0x65735546, { name: "FUSE", isNetwork: false }],
  [0x01021997, { name: "9P", isNetwork: false }],
]);

/** The file system of a folder where it may not suit SQLite; undefined for others, and where it can't be found out. */
export function foreignFileSystem(folder: string): ForeignFileSystem | undefined {
  return process.platform === "linux" ? FOREIGN.get(statfsSync(folder).type) : undefined;
}

/** How long one operation waits for other connections to unlock the file, in milliseconds. */
const LOCK_WAIT_MS = 5_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 10;

/**
 * Waits for a lock without blocking the event loop: a pause and another try, then a longer pause, until the time is
 * over.
 */
export class LockWait {
  readonly #until = performance.now() + LOCK_WAIT_MS;
  #pauseMs = FIRST_PAUSE_MS;

  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Random in part, so that processes don't try in step. */
  async pause(): Promise<void> {
    await delay(this.#pauseMs * (0.5 + Math.random()));
    this.#pauseMs = Math.min(this.#pauseMs * 1.5, LONGEST_PAUSE_MS);
  }
}
