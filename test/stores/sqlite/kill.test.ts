import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { compileScripts } from "../../support/compiled-scripts";
import { signal } from "../../support/gate";
import { howMany } from "../../support/how-many";
import { sessionRecord } from "../../support/session-records";
import { faultsOf } from "../../support/sqlite-checks";

type Acknowledged =
  | { step: "created" | "ended"; id: string }
  | { step: "updated"; id: string; n: number }
  | { step: "replaced"; id: string; by: string };

const ROUNDS = howMany(10, 50);
const ROUNDS_PER_FOLDER = 10;
const numbered = (rounds: number) => Array.from({ length: rounds }, (_, round) => round);
const scripts = compileScripts(["lib", "test/support"]);
const folders: string[] = [];
let writer: ChildProcess | undefined;

afterEach(() => writer?.kill("SIGKILL"));

afterAll(() => {
  scripts.dispose();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

it.each(numbered(ROUNDS))(
  "P1, P2: a process killed in the middle of writes loses none that it acknowledged, and leaves the file sound (%i)",
  async (round) => {
    if (round % ROUNDS_PER_FOLDER === 0) folders.push(mkdtempSync(join(tmpdir(), "coatcheck-kill-")));
    const path = folders.at(-1)!;
    const acks = await writeUntilKilled(path, 8, 1);
    expect(await lostWrites(path, acks)).toEqual([]);
    expect(faultsOf(path)).toEqual([]);
  },
);

it.each(numbered(howMany(4, 8)))(
  "P7: a process killed while it writes does not keep another, which has the file open, from writing (%i)",
  async () => {
    const path = mkdtempSync(join(tmpdir(), "coatcheck-kill-"));
    folders.push(path);
    const store = new SqliteStore({ path });
    await store.create(sessionRecord());
    await writeUntilKilled(path, 1, 500);
    for (let write = 0; write < 3; write += 1) await store.create(sessionRecord());
    await store.close();
    expect(faultsOf(path)).toEqual([]);
  },
);

/** Kills a writer a moment after this many of its writes were acknowledged. */
async function writeUntilKilled(path: string, lanes: number, writes: number): Promise<Acknowledged[]> {
  const acks: Acknowledged[] = [];
  writer = fork(scripts.path("test/support/sqlite-writer.ts"), [path, String(lanes)], {
    env: scripts.env,
    execArgv: [],
  });
  const enough = signal();
  writer.on("message", (ack: Acknowledged) => {
    acks.push(ack);
    if (acks.length === writes) enough.give();
  });
  await enough.given;
  await delay(1 + Math.random() * 60);
  writer.kill("SIGKILL");
  await once(writer, "close");
  return acks;
}

async function lostWrites(path: string, acks: Acknowledged[]): Promise<Acknowledged[]> {
  const store = new SqliteStore({ path });
  const isEnded = async (id: string) => {
    for await (const _record of store.find({ state: "ended", id })) return (await store.load(id)) === undefined;
    return false;
  };
  const isLive = async (id: string) => (await store.load(id)) !== undefined;
  const isKept = async (id: string) => (await isLive(id)) || (await isEnded(id));
  const lost: Acknowledged[] = [];
  for (const ack of acks) {
    const holds = {
      created: async () => isKept(ack.id),
      updated: async () => Number((await store.load(ack.id))?.data.n) >= (ack as { n: number }).n,
      replaced: async () => (await isEnded(ack.id)) && (await isKept((ack as { by: string }).by)),
      ended: async () => isEnded(ack.id),
    }[ack.step];
    if (!(await holds())) lost.push(ack);
  }
  await store.close();
  return lost;
}
