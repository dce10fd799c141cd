import { closeSync, fdatasync, openSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { SessionError } from "../../../errors";
import { APPLICATION_ID, WAL_LIMIT_BYTES } from "../tables/schema";
import { BUSY, nodeDriver, peerPath } from "./driver";

/**
 * Syncs what was committed to the disk: one `fdatasync` of the WAL file, in a thread of libuv's, for all that wait. A
 * WAL has whole transactions in their order, each page with a checksum over all before it, so that after a sync,
 * everything committed before it survives a power failure. (https://www.sqlite.org/walformat.html, "Recovery")
 */
export class WalSync {
  readonly #path: string;
  readonly #file: number;
  #waiting: Waiting[] = [];
  #isSyncing = false;
  #failure: SessionError | undefined;
  #onIdle: (() => void) | undefined;

  /** `path` is that of an open session file, so that its WAL exists. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
    // SQLite's locks are on the other two files, so closing this one is harmless.
    this.#file = openSync(this.#path, "r+");
  }

  /** Calls `done` once everything that is committed now is on disk, or with `SESSION_STORE` where the sync fails. */
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
      // After a failed sync, the kernel may count the lost pages as written, so no later sync can be trusted.
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
      `${this.#path} can't be synced to the disk: ${cause.message}; check the disk, then restart this process.`,
      { cause },
    );
  }
}

type Waiting = (failure?: SessionError) => void;

/** How many writes there are between two checkpoints. */
const WRITES = 1_000;
/** From this many pages on, the WAL starts over: 8 MiB. */
const LONG_WAL_PAGES = 2_000;
/**
 * How long the worker waits for a lock, in milliseconds. While it waits for readers to leave the WAL, nobody writes.
 */
const LOCK_WAIT_MS = 5;
/** What a worker may be doing. */
const [IDLE, WORKING, STOPPED] = [0, 1, 2];
/** How long the exit of the process waits for a worker, in milliseconds. */
const EXIT_WAIT_MS = 5_000;

/**
 * The worker's code, as text, so that it needs no file of its own in a bundle. It takes the messages "checkpoint" and
 * "close", and replies with what failed, or null.
 *
 * SQLite before 3.51.3 (and 3.50.7) may damage a file where one connection starts the WAL over while another makes a
 * checkpoint (https://www.sqlite.org/wal.html#walresetbug). With such a version nobody writes during a checkpoint:
 * `writer` has the lock.
 */
const WORKER = `
  const { parentPort, workerData } = require("node:worker_threads");
  process.removeAllListeners("warning"); // Node 22's, about its SQLite
  let db, writer, isMended;
  const open = (driver) => {
    const connection = new driver.DatabaseSync(workerData.path);
    connection.exec("PRAGMA busy_timeout = ${LOCK_WAIT_MS}; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL");
    connection.exec("PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}");
    return connection;
  };
  const start = () => {
    const { peer } = workerData;
    const driver = peer === undefined ? process.getBuiltinModule("node:sqlite") : require(peer);
    const connection = open(driver);
    const [, minor, patch] = connection.prepare("SELECT sqlite_version() AS v").get().v.split(".").map(Number);
    isMended = minor > 51 || (minor === 51 && patch >= 3) || (minor === 50 && patch >= 7);
    if (!isMended) writer = open(driver);
    db = connection;
  };
  const run = (mode) => db.prepare("PRAGMA wal_checkpoint(" + mode + ")").get();
  const alone = (work) => {
    writer?.exec("BEGIN IMMEDIATE");
    try {
      return work();
    } finally {
      writer?.exec("ROLLBACK");
    }
  };
  const work = {
    checkpoint() {
      if (db === undefined) start();
      if (alone(() => run("PASSIVE")).log < ${LONG_WAL_PAGES}) return;
      if (isMended && run("RESTART").busy !== 0) return;
      // The first write to a WAL that starts over syncs its head: here, and not on the main thread.
      db.exec("PRAGMA application_id = ${APPLICATION_ID}");
    },
    close() {
      try {
        if (isMended) run("TRUNCATE");
      } finally {
        writer?.close();
        db?.close();
        parentPort.close();
      }
    },
  };
  parentPort.on("message", (name) => {
    if (Atomics.compareExchange(workerData.state, 0, ${IDLE}, ${WORKING}) !== ${IDLE}) return;
    let failure = null;
    try {
      work[name]();
    } catch (error) {
      if ((error.errcode & 0xff) !== ${BUSY}) failure = error.message;
    }
    Atomics.store(workerData.state, 0, ${IDLE});
    Atomics.notify(workerData.state, 0);
    parentPort.postMessage(failure);
  });
`;

/**
 * Makes the checkpoints of a session file, in a worker because they sync. Without them the WAL would grow without end.
 * Every process that writes does this; SQLite lets one at a time do it.
 */
export class Checkpoints {
  readonly #path: string;
  /** Shared with the worker. */
  readonly #state = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;
  #isBusy = false;
  #writes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Counts writes, and begins a checkpoint when there are enough. */
  wrote(writes: number): void {
    this.#writes += writes;
    if (this.#writes < WRITES || this.#isBusy) return;
    this.#writes = 0;
    this.#isBusy = true;
    this.#worker ??= this.#start();
    this.#worker.postMessage("checkpoint");
  }

  /** Resolves when the worker has left the file. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const left = new Promise((resolve) => worker.once("exit", resolve));
    worker.ref();
    worker.postMessage("close");
    await left;
  }

  #start(): Worker {
    const peer = nodeDriver() === undefined ? peerPath() : undefined;
    const worker = new Worker(WORKER, {
      eval: true,
      execArgv: [],
      workerData: { path: this.#path, peer, state: this.#state },
    });
    worker.on("message", (failure: string | null) => this.#finished(failure));
    worker.on("error", (error) => this.#finished(error instanceof Error ? error.message : String(error)));
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#isBusy = false;
      running.delete(this.#state);
      if (running.size === 0) process.removeListener("exit", stopAll);
    });
    if (running.size === 0) process.on("exit", stopAll);
    running.add(this.#state);
    // Last, because a listener for messages keeps the process alive.
    worker.unref();
    return worker;
  }

  #finished(failure: string | null): void {
    this.#isBusy = false;
    if (failure === null) return;
    process.emitWarning(`The WAL of the session file ${this.#path} can't be copied to it: ${failure}`, {
      code: "COATCHECK_CHECKPOINT",
    });
  }
}

/** The states of the workers of this process. */
const running = new Set<Int32Array<SharedArrayBuffer>>();

/** Stops the workers before the process exits: the peer's SQLite aborts the process where it is interrupted. */
function stopAll(): void {
  for (const state of running) {
    Atomics.wait(state, 0, WORKING, EXIT_WAIT_MS);
    Atomics.compareExchange(state, 0, IDLE, STOPPED);
  }
}
