import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import type { Note, Step } from "./power-cut-writer";
import { sessionRecord } from "./session-records";
import { faultsOf } from "./sqlite-checks";

/**
 * A session as the store has it, or should have it: whether it is live, and the number of the last step that changed
 * it.
 */
interface State {
  readonly isLive: boolean;
  readonly number: number;
  readonly isDue?: boolean;
}

/** What writers asked for until the power failed, and what was acknowledged to them. */
export class Ledger {
  readonly #steps = new Map<string, Step[]>();
  readonly #acknowledged = new Map<string, number>();
  #isClearing = false;

  /** How many steps were acknowledged as being on disk. */
  acknowledgements = 0;

  add(writer: string, note: Note): void {
    if ("clearing" in note) this.#isClearing = true;
    else if ("done" in note) {
      this.acknowledgements += 1;
      this.#acknowledged.set(writer, Math.max(note.done, this.#acknowledged.get(writer) ?? 0));
    } else if (this.#steps.has(writer)) this.#steps.get(writer)?.push(note);
    else this.#steps.set(writer, [note]);
  }

  /** Describes what is wrong with the sessions that a power failure has left in a folder. */
  async faults(path: string): Promise<string[]> {
    let store: SqliteStore;
    try {
      store = new SqliteStore({ path });
    } catch (error) {
      return [`it does not open: ${String(error)}`];
    }
    try {
      const faults = faultsOf(path);
      for (const writer of this.#steps.keys()) faults.push(...this.#compare(writer, await statesOf(store, writer)));
      const later = sessionRecord();
      await store.create(later);
      if ((await store.load(later.id)) === undefined) faults.push("what is created afterwards is not there");
      return faults;
    } catch (error) {
      return [`it can't be used: ${String(error)}`];
    } finally {
      await store.close();
    }
  }

  /**
   * A writer's steps were committed in order, so every session has to be as its first steps left it: all that were
   * acknowledged, and all before any later one that left a trace.
   */
  #compare(writer: string, found: ReadonlyMap<string, State>): string[] {
    const acknowledged = this.#acknowledged.get(writer) ?? 0;
    const last = Math.max(acknowledged, ...[...found.values()].map(({ number }) => number));
    const wanted = statesAfter(this.#steps.get(writer)!.slice(0, last));
    const words = (state: State | undefined) =>
      state === undefined ? "absent" : `${state.isLive ? "live" : "ended"} by step ${state.number}`;
    const faults: string[] = [];
    for (const id of new Set([...wanted.keys(), ...found.keys()])) {
      const [is, should] = [found.get(id), wanted.get(id)];
      if (is?.number === should?.number && is?.isLive === should?.isLive) continue;
      // A clearing that was under way may have deleted it, and nothing brings it back.
      if (is === undefined && should?.isDue === true && this.#isClearing) continue;
      const until = `${last} steps, of which ${acknowledged} were acknowledged`;
      faults.push(`${writer}: ${id} is ${words(is)}, and should be ${words(should)} after ${until}`);
    }
    return faults;
  }
}

function statesAfter(steps: readonly Step[]): Map<string, State> {
  const states = new Map<string, State>();
  for (const { number, does, id, by, isDue } of steps) {
    states.set(id, { isLive: does === "create" || does === "update", number, isDue });
    if (by !== undefined) states.set(by, { isLive: true, number, isDue });
  }
  return states;
}

async function statesOf(store: SqliteStore, owner: string): Promise<Map<string, State>> {
  const states = new Map<string, State>();
  for await (const record of store.find({ state: "live", owner })) {
    if ("data" in record) states.set(record.id, { isLive: true, number: Number(record.data.number) });
  }
  for await (const record of store.find({ state: "ended", owner })) {
    if ("message" in record) states.set(record.id, { isLive: false, number: Number(record.message) });
  }
  return states;
}
