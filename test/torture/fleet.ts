import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** What the processes report. */
interface Message {
  readonly port?: number;
  readonly cleared?: number;
  readonly searches?: number;
}

/** One process of the fleet, and its successor when it is gone. */
interface Seat {
  readonly script: string;
  readonly args: readonly string[];
  process: ChildProcess | undefined;
  /** Set while it is up; 0 if it is not a server. */
  port: number | undefined;
  /** Whether it ended by itself; then nothing replaces it. */
  hasDied: boolean;
}

const LONGEST_PAUSE_MS = 400;

/** Processes that share a folder, and what happens to them. */
export class Fleet {
  /** How many records were cleared, and how many searches were completed. */
  cleared = 0;
  searches = 0;
  readonly #seats: Seat[] = [];
  readonly #stderr: number;
  readonly #env: NodeJS.ProcessEnv;
  readonly #onViolation: (violation: string) => void;
  #onChange: (() => void)[] = [];

  /** Whatever the processes write to stderr is added to the file `stderr`. */
  constructor(stderr: string, env: NodeJS.ProcessEnv, onViolation: (violation: string) => void) {
    this.#stderr = openSync(stderr, "a");
    this.#env = env;
    this.#onViolation = onViolation;
  }

  /** Adds a process. Resolves when it is up. */
  async add(script: string, ...args: string[]): Promise<void> {
    const seat: Seat = { script, args, process: undefined, port: undefined, hasDied: false };
    this.#seats.push(seat);
    await this.#start(seat);
  }

  /** The port of any server that is up; waits for one. */
  async port(): Promise<number> {
    return (await this.#anyUp(({ port }) => port !== undefined && port > 0)).port!;
  }

  /** Sends SIGKILL to one. Resolves when its successor is up, as the next two do. */
  async killOne(): Promise<void> {
    await this.#again(pick(this.#seats), "SIGKILL");
  }

  /** Sends SIGKILL to all in the same moment. */
  async killAll(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => this.#again(seat, "SIGKILL")));
  }

  /** Sends SIGTERM to one, which closes and ends by itself. */
  async stopOne(): Promise<void> {
    await this.#again(await this.#anyUp(), "SIGTERM");
  }

  /** Makes the system stop one for a moment, wherever it is, even in the middle of a transaction. */
  async pauseOne(): Promise<void> {
    const { process: paused } = await this.#anyUp();
    paused?.kill("SIGSTOP");
    await delay(Math.random() * LONGEST_PAUSE_MS);
    paused?.kill("SIGCONT");
  }

  /** Ends all, gently if the system can. */
  async end(): Promise<void> {
    const signal = process.platform === "win32" ? "SIGKILL" : "SIGTERM";
    await Promise.all(this.#seats.map((seat) => this.#leave(seat, signal)));
  }

  /** Ends what is left. */
  async dispose(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => this.#leave(seat, "SIGKILL")));
    closeSync(this.#stderr);
  }

  /** A suitable one that is up; waits for one, and rejects if all have died. */
  async #anyUp(suits: (seat: Seat) => boolean = () => true): Promise<Seat> {
    for (;;) {
      const up = this.#seats.filter((seat) => seat.port !== undefined && suits(seat));
      if (up.length > 0) return pick(up);
      if (this.#seats.every(({ hasDied }) => hasDied)) throw new Error("All processes have died.");
      await new Promise<void>((resolve) => this.#onChange.push(resolve));
    }
  }

  async #again(seat: Seat, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (seat.process === undefined) return; // Its successor is about to come up.
    await this.#leave(seat, signal);
    await delay(Math.random() * LONGEST_PAUSE_MS);
    if (!seat.hasDied) await this.#start(seat);
  }

  async #leave(seat: Seat, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { process: leaving } = seat;
    if (leaving === undefined) return;
    seat.process = seat.port = undefined;
    const exit = once(leaving, "exit");
    leaving.kill(signal);
    const [code, by] = (await exit) as [number | null, string | null];
    if (signal === "SIGKILL" ? by !== "SIGKILL" : code !== 0) this.#died(seat, code, by);
  }

  async #start(seat: Seat): Promise<void> {
    const child = fork(seat.script, seat.args, {
      env: this.#env,
      execArgv: [],
      stdio: ["ignore", "ignore", this.#stderr, "ipc"],
    });
    seat.process = child;
    const isUp = new Promise<void>((resolve) => {
      child.on("message", ({ port, cleared = 0, searches = 0 }: Message) => {
        this.cleared += cleared;
        this.searches += searches;
        if (port === undefined) return;
        if (seat.process === child) seat.port = port;
        resolve();
      });
      child.once("exit", (code, signal) => {
        resolve();
        if (seat.process !== child) return;
        this.#died(seat, code, signal);
      });
    });
    await isUp;
    for (const resolve of this.#onChange.splice(0)) resolve();
  }

  #died(seat: Seat, code: number | null, signal: string | null): void {
    this.#onViolation(`${seat.script} left with the code ${code}, by the signal ${signal}`);
    seat.process = seat.port = undefined;
    seat.hasDied = true;
    for (const resolve of this.#onChange.splice(0)) resolve();
  }
}

function pick<T>(from: readonly T[]): T {
  return from[Math.floor(Math.random() * from.length)] as T;
}
