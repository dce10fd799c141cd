import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FILE_NAME } from "../../lib/stores/sqlite/file/session-file";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import type { compileScripts } from "../support/compiled-scripts";
import { faultsOf, inFile } from "../support/sqlite-checks";
import type { Fault } from "./faulty-store";
import { Fleet } from "./fleet";
import { TortureClient } from "./torture-client";
import { Visitor } from "./visitor";

/** What `tortureScripts` returns. */
export type Scripts = ReturnType<typeof compileScripts>;

const VISITORS = 24;
/** How many violations are reported: if there is one, there may be thousands. */
const TOLD = 20;

/** A folder, processes that share it, and visitors who check every promise. */
export class Arena {
  readonly violations: string[] = [];
  readonly fleet: Fleet;
  largestWal = 0;
  readonly #scripts: Scripts;
  readonly #folder = mkdtempSync(join(tmpdir(), "coatcheck-torture-"));
  readonly #store = join(this.#folder, "store");
  readonly #stderr = join(this.#folder, "stderr");
  readonly #client: TortureClient;
  readonly #visitors: readonly Visitor[];
  readonly #neighbours: ChildProcess[] = [];

  constructor(scripts: Scripts) {
    this.#scripts = scripts;
    const onViolation = (violation: string) => {
      if (this.violations.length < TOLD) this.violations.push(violation);
    };
    this.fleet = new Fleet(this.#stderr, scripts.env, onViolation);
    this.#client = new TortureClient(() => this.fleet.port(), onViolation);
    this.#visitors = Array.from({ length: VISITORS }, (_, n) => new Visitor(`visitor${n}`, this.#client, onViolation));
  }

  async addServers(count: number, clearEveryMs: number, ...fault: Fault[]): Promise<void> {
    const add = () => this.fleet.add(this.#script("torture-server"), this.#store, String(clearEveryMs), ...fault);
    await Promise.all(Array.from({ length: count }, add));
  }

  addFinder(): Promise<void> {
    return this.fleet.add(this.#script("torture-finder"), this.#store);
  }

  /** Keeps a core busy from now on. */
  addNeighbour(): void {
    this.#neighbours.push(fork(this.#script("neighbour"), { env: this.#scripts.env, execArgv: [] }));
  }

  async visit(isOver: () => boolean): Promise<void> {
    const isOverOrLook = () => {
      const { size = 0 } = statSync(`${join(this.#store, FILE_NAME)}-wal`, { throwIfNoEntry: false }) ?? {};
      this.largestWal = Math.max(this.largestWal, size);
      return isOver();
    };
    await Promise.all(this.#visitors.map((visitor) => visitor.visit(isOverOrLook)));
  }

  /** Looks at all known sessions, and returns how many are live and how many have ended. */
  async checkAll(): Promise<{ live: number; ended: number }> {
    const sum = { live: 0, ended: 0 };
    for (const { live, ended } of await Promise.all(this.#visitors.map((visitor) => visitor.checkAll()))) {
      sum.live += live;
      sum.ended += ended;
    }
    return sum;
  }

  /** Ends all processes gently. */
  async close(): Promise<void> {
    this.#client.close();
    await this.fleet.end();
    const said = readFileSync(this.#stderr, "utf8");
    if (said !== "") this.violations.push(`the processes said: ${said.slice(0, 2_000)}`);
  }

  /** Checks the file itself, once nobody uses it any more. */
  async checkFile(): Promise<void> {
    this.violations.push(...faultsOf(this.#store));
    const store = new SqliteStore({ path: this.#store });
    for (const [state, table] of [
      ["live", "session"],
      ["ended", "ended"],
    ] as const) {
      const readable = new Set<string>();
      for await (const { id } of store.find({ state })) readable.add(id);
      const rows = inFile(this.#store, (db) => db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count);
      if (readable.size !== rows) {
        this.violations.push(`${String(rows)} sessions are ${state}, and ${readable.size} are readable`);
      }
    }
    await store.close();
  }

  /** Removes everything, whatever happened. */
  async dispose(): Promise<void> {
    this.#client.close();
    await this.fleet.dispose();
    for (const neighbour of this.#neighbours) neighbour.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get figures() {
    const steps: Record<string, number> = {};
    for (const [name, count] of this.#visitors.flatMap((visitor) => [...visitor.steps])) {
      steps[name] = (steps[name] ?? 0) + count;
    }
    const [median, p99, longest] = [0.5, 0.99, 1].map((part) => this.#client.latency(part));
    return {
      requests: Object.fromEntries(this.#client.statuses),
      milliseconds: { median, p99, longest },
      steps,
      cleared: this.fleet.cleared,
      searches: this.fleet.searches,
      largestWal: this.largestWal,
    };
  }

  #script(name: string): string {
    return this.#scripts.path(`test/torture/${name}.ts`);
  }
}
