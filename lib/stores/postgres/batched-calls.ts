import { mergedDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import type { Ending, SessionRecord } from "../../record/session-record";
import type { FindQuery } from "../store";
import type { PostgresCalls } from "./postgres-calls";
import { ownError } from "./postgres-errors";
import { changeOf, endingOf, insertedRow, jsonColumn, textColumn, textOf } from "./record-rows";
import type { Row } from "./record-rows";
import type { Statements } from "./statements";
import { TurnBatches, writeTogether } from "./turn-batches";
import type { Job, JobsById, Write } from "./turn-batches";

/** Its id is as PostgreSQL has it. */
interface Load extends Job {
  readonly resolve: (row: Row | undefined) => void;
}

/** A row to be inserted, as JSON. */
interface Create extends Write {
  readonly row: string;
}

interface Update extends Write {
  readonly delta: SessionDelta;
}

interface Swap extends Update {
  readonly version: string;
}

interface End extends Write {
  readonly ending: Ending;
}

/** About how many characters the rows of one INSERT have: PostgreSQL takes 256 MiB, and large ones gain nothing. */
const INSERT_LENGTH = 2 ** 22;

/** Calls that travel together: those of one turn of the event loop are one statement of each kind, and one commit. */
export class BatchedCalls {
  readonly #calls: PostgresCalls;
  readonly #statements: Statements;
  readonly #loads: Record<FindQuery["state"], TurnBatches<Load>>;
  readonly #creates: TurnBatches<Create>;
  readonly #updates: TurnBatches<Update>;
  readonly #swaps: TurnBatches<Swap>;
  readonly #ends: TurnBatches<End>;

  constructor(calls: PostgresCalls, statements: Statements, timeoutMs: number) {
    this.#calls = calls;
    this.#statements = statements;
    const anyOrder = { timeoutMs, isInOrder: false };
    const once = { isOnce: true };
    this.#loads = {
      live: new TurnBatches("a load", anyOrder, (jobs) => this.#load("a load", statements.load, jobs)),
      ended: new TurnBatches("a find", anyOrder, (jobs) => this.#load("a find", statements.loadEnded, jobs)),
    };
    const insert = (jobs: JobsById<Create>) =>
      writeTogether(jobs, once, (all) => this.#insert(firsts(all).map(([, { row }]) => row)));
    this.#creates = new TurnBatches("a create", anyOrder, async (jobs) => {
      await Promise.all(partsOf(jobs).map(insert));
    });
    this.#updates = new TurnBatches("an update", { timeoutMs, isInOrder: true }, (jobs) =>
      writeTogether(jobs, { isOnce: false }, (all) =>
        this.#change(
          "an update",
          all.map(([id, updates]) => changeOf(id, mergedOf(updates))),
        ),
      ),
    );
    this.#swaps = new TurnBatches("a mutate", anyOrder, (jobs) =>
      writeTogether(jobs, once, (all) =>
        this.#change(
          "a mutate",
          firsts(all).map(([id, { delta, version }]) => changeOf(id, delta, version)),
        ),
      ),
    );
    this.#ends = new TurnBatches("an end", anyOrder, (jobs) =>
      writeTogether(jobs, once, (all) => this.#end(firsts(all).map(([id, { ending }]) => endingOf(id, ending)))),
    );
  }

  /** The row of a record that is live, or ended. */
  load(id: string, state: FindQuery["state"]): Promise<Row | undefined> {
    const column = textColumn(id);
    return asked((job) => this.#loads[state].add({ ...job, id: column }));
  }

  /** False where the id is live already. */
  create(record: SessionRecord): Promise<boolean> {
    return asked((job) => this.#creates.add({ ...job, id: record.id, row: insertedRow(record) }));
  }

  update(id: string, delta: SessionDelta): Promise<boolean> {
    return asked((job) => this.#updates.add({ ...job, id, delta }));
  }

  /** Changes a record that still has this version. */
  swap(id: string, delta: SessionDelta, version: string): Promise<boolean> {
    return asked((job) => this.#swaps.add({ ...job, id, delta, version }));
  }

  end(id: string, ending: Ending): Promise<boolean> {
    return asked((job) => this.#ends.add({ ...job, id, ending }));
  }

  /** Resolves when every load has its outcome. */
  async idle(): Promise<void> {
    await Promise.all(Object.values(this.#loads).map((loads) => loads.idle()));
  }

  async #load(call: string, text: string, jobs: JobsById<Load>): Promise<void> {
    try {
      const { rows } = await this.#calls.send(call, { text, values: [[...jobs.keys()]] }, true);
      const byId = new Map(rows.map((row) => [row[0], row]));
      for (const [id, ofId] of jobs) for (const { resolve } of ofId) resolve(byId.get(id));
    } catch (error) {
      for (const ofId of jobs.values()) for (const { reject } of ofId) reject(ownError(error));
    }
  }

  /** Resolves to the ids of the rows that were inserted. */
  async #insert(rows: readonly string[]): Promise<ReadonlySet<string>> {
    const query = { text: this.#statements.insert, values: [`[${rows.join()}]`] };
    return new Set(idsOf(await this.#calls.send("a create", query)));
  }

  /** Resolves to the ids of the rows that were changed. */
  async #change(call: string, changes: readonly object[]): Promise<ReadonlySet<string>> {
    const query = { text: this.#statements.update, values: [jsonColumn(changes)] };
    return new Set(idsOf(await this.#calls.send(call, query)));
  }

  /** Resolves to the ids of the rows that were ended. */
  async #end(endings: readonly object[]): Promise<ReadonlySet<string>> {
    const query = { text: this.#statements.end, values: [jsonColumn(endings)] };
    return new Set(idsOf(await this.#calls.send("an end", query)));
  }
}

function asked<T>(
  ask: (job: Pick<Job, "askedAt" | "reject"> & { readonly resolve: (value: T) => void }) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => ask({ askedAt: performance.now(), resolve, reject }));
}

/** The ids in the first column. */
function idsOf({ rows }: { readonly rows: readonly Row[] }): string[] {
  return rows.map(([id]) => textOf(id));
}

/** The first job of each id. */
function firsts<J>(all: readonly (readonly [id: string, jobs: readonly J[]])[]): [id: string, job: J][] {
  return all.flatMap(([id, [first]]) => (first === undefined ? [] : [[id, first]]));
}

function mergedOf(updates: readonly Update[]): SessionDelta {
  const [first, ...others] = updates;
  return first !== undefined && others.length === 0 ? first.delta : mergedDelta(updates.map(({ delta }) => delta));
}

/** Creates in parts of about `INSERT_LENGTH`. */
function partsOf(jobs: JobsById<Create>): JobsById<Create>[] {
  const parts: Map<string, readonly Create[]>[] = [];
  let length = INSERT_LENGTH;
  for (const [id, ofId] of jobs) {
    if (length >= INSERT_LENGTH) {
      parts.push(new Map());
      length = 0;
    }
    parts.at(-1)?.set(id, ofId);
    length += ofId[0]?.row.length ?? 0;
  }
  return parts;
}
