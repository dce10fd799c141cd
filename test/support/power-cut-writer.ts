import { openSync, writeSync } from "node:fs";
import type { Ending, SessionRecord } from "../../lib/record/session-record";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { sessionRecord } from "./session-records";

/**
 * What the writer notes: each step just before it asks the store for it, in the order in which the store gets them; and
 * the step's number again once the store has acknowledged it.
 */
export type Note = Step | { readonly done: number } | { readonly clearing: true };

/**
 * What was asked for. A session has the number of the last step that changed it: as data while it is live, as the
 * message of its end afterwards.
 */
export interface Step {
  readonly number: number;
  readonly does: "create" | "update" | "replace" | "end";
  readonly id: string;
  /** The successor's id. */
  readonly by?: string;
  /** Whether a clearing may take the session. */
  readonly isDue: boolean;
}

interface Coat {
  readonly id: string;
  readonly isDue: boolean;
}

/** When the sessions were over that are cleared: long ago. */
const LONG_AGO = 1_000_000;
const LANES = 16;
const DAY = 86_400_000;

const [, , path = "", notesPath = "", owner = "", rounds, steps, leaves] = process.argv;
const notes = openSync(notesPath, "a");
let store: SqliteStore;
let number = 0;

function note(entry: Note): void {
  writeSync(notes, JSON.stringify(entry));
}

/** Notes a step, asks for it in the same moment, and notes its acknowledgement if that means that it is on disk. */
async function step(entry: Omit<Step, "number">, ask: (number: number) => Promise<unknown>): Promise<void> {
  const own = (number += 1);
  note({ number: own, ...entry });
  await ask(own);
  if (entry.does !== "update") note({ done: own });
}

function newRecord(isDue: boolean): SessionRecord {
  const over = isDue ? { expiresAt: LONG_AGO, purgeAt: LONG_AGO + 1 } : undefined;
  return sessionRecord({ owner, ...over });
}

function content(own: number) {
  const length = Math.random() < 0.02 ? 12_000 : 10 + Math.floor(Math.random() * 400);
  return { number: String(own), padding: JSON.stringify(String(own).repeat(length).slice(0, length)) };
}

function ending(own: number, isDue: boolean): Ending {
  const endedAt = isDue ? LONG_AGO : Date.now();
  return {
    endedAt,
    reason: "killed",
    endedBy: null,
    message: String(own),
    purgeAt: isDue ? LONG_AGO + 1 : endedAt + DAY,
  };
}

async function create(): Promise<Coat> {
  const isDue = Math.random() < 0.2;
  const record = newRecord(isDue);
  await step({ does: "create", id: record.id, isDue }, (own) => {
    Object.assign(record.data, content(own));
    return store.create(record);
  });
  return { id: record.id, isDue };
}

async function update({ id, isDue }: Coat): Promise<void> {
  await step({ does: "update", id, isDue }, (own) =>
    Math.random() < 0.2 && !isDue
      ? store.mutate(id, () => ({ data: { set: content(own) } }))
      : store.update(id, { data: { set: content(own) } }),
  );
}

async function replace({ id, isDue }: Coat): Promise<Coat> {
  const record = newRecord(isDue);
  await step({ does: "replace", id, by: record.id, isDue }, (own) => {
    Object.assign(record.data, content(own));
    return store.replace(id, ending(own, isDue), record);
  });
  return { id: record.id, isDue };
}

async function end({ id, isDue }: Coat): Promise<void> {
  await step({ does: "end", id, isDue }, (own) => store.end(id, ending(own, isDue)));
}

async function lane(until: number): Promise<void> {
  const coats: Coat[] = [];
  while (number < until) {
    const [coat] = coats.splice(Math.floor(Math.random() * coats.length), 1);
    const luck = Math.random();
    if (coat === undefined || (coats.length < 6 && luck < 0.3)) coats.push(...(coat ? [coat] : []), await create());
    else if (luck < 0.65) coats.push((await update(coat), coat));
    else if (luck < 0.82) coats.push(await replace(coat));
    else await end(coat);
  }
}

async function write(): Promise<void> {
  for (let round = 1; round <= Number(rounds); round += 1) {
    store = new SqliteStore({ path });
    const until = number + Number(steps);
    const lanes = Array.from({ length: LANES }, () => lane(until));
    await lane(until - Number(steps) / 2);
    note({ clearing: true });
    await Promise.all([...lanes, store.clear(Date.now())]);
    if (leaves !== "leaves" || round < Number(rounds)) await store.close();
  }
  // Abruptly, like a process that dies: what it has open stays as it is.
  process.exit();
}

void write();
