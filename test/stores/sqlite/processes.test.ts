import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionRecord } from "../../../lib/record/session-record";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { compileScripts } from "../../support/compiled-scripts";
import { killed, sessionRecord } from "../../support/session-records";
import { faultsOf } from "../../support/sqlite-checks";

const HOUR = 3_600_000;
const scripts = compileScripts(["lib", "test/support"]);
const path = mkdtempSync(join(tmpdir(), "coatcheck-processes-"));
const store = new SqliteStore({ path });
let others: ChildProcess[];

beforeAll(async () => {
  others = Array.from({ length: 2 }, () =>
    fork(scripts.path("test/support/sqlite-caller.ts"), [path], { env: scripts.env, execArgv: [] }),
  );
  await Promise.all(others.map((other) => once(other, "message")));
});

afterAll(async () => {
  for (const other of others) other.disconnect();
  await Promise.all(others.map((other) => once(other, "exit")));
  await store.close();
  expect(faultsOf(path)).toEqual([]);
  rmSync(path, { recursive: true });
  scripts.dispose();
});

/** Calls a method in another process, once for each list of arguments, all at the same time. */
async function inOther(other: ChildProcess, method: string, calls: unknown[][]): Promise<unknown[]> {
  other.send({ method, calls });
  const [answers] = await once(other, "message");
  return answers;
}

/** The same calls in this process and in both others at the same time. */
async function everywhere(method: "create" | "update" | "end" | "clear", calls: unknown[][]): Promise<unknown[][]> {
  const call = store[method].bind(store) as (...args: unknown[]) => Promise<unknown>;
  const here = Promise.all(
    calls.map((args) =>
      call(...args).then(
        (answer) => answer ?? "done",
        (error: unknown) => (error as { code: string }).code,
      ),
    ),
  );
  return Promise.all([here, ...others.map((other) => inOther(other, method, calls))]);
}

function countEach(answers: unknown[][], wanted: unknown): number[] {
  return answers[0]!.map((_, index) => answers.filter((list) => list[index] === wanted).length);
}

/** Those that this process finds. */
function areLive(records: SessionRecord[]): Promise<boolean[]> {
  return Promise.all(records.map(async ({ id }) => (await store.load(id)) !== undefined));
}

async function created(count: number, fields = {}) {
  const records = Array.from({ length: count }, () => sessionRecord(fields));
  await Promise.all(records.map((record) => store.create(record)));
  return records;
}

it("P2: of three processes that create the same id, one does, and the others are told", async () => {
  const records = Array.from({ length: 50 }, () => sessionRecord());
  const answers = await everywhere(
    "create",
    records.map((record) => [record]),
  );
  expect(countEach(answers, "done")).toEqual(records.map(() => 1));
  expect(countEach(answers, "SESSION_EXISTS")).toEqual(records.map(() => 2));
});

it("P2: of three processes that end a session, one does", async () => {
  const records = await created(50);
  const answers = await everywhere(
    "end",
    records.map(({ id }) => [id, killed()]),
  );
  expect(countEach(answers, true)).toEqual(records.map(() => 1));
});

it("P2: of three processes that replace a session, one does, and only its successor lives", async () => {
  const [old] = await created(1);
  const successors = Array.from({ length: 3 }, () => sessionRecord());
  const [first, second, third] = await Promise.all([
    store.replace(old!.id, killed(), successors[0]!),
    inOther(others[0]!, "replace", [[old!.id, killed(), successors[1]]]),
    inOther(others[1]!, "replace", [[old!.id, killed(), successors[2]]]),
  ]);
  const won = [first, second[0], third[0]];
  expect(won.filter((answer) => answer === true)).toHaveLength(1);
  expect(await areLive(successors)).toEqual(won);
});

it("P2: no update in two other processes brings back what this one ends", async () => {
  const records = await created(50);
  const updates = records.map(({ id }) => [id, { data: { set: { a: "1" } } }]);
  const [, ...ends] = await Promise.all([
    Promise.all(others.map((other) => inOther(other, "update", updates))),
    ...records.map(({ id }) => store.end(id, killed())),
  ]);
  expect(ends).toEqual(records.map(() => true));
  expect(await areLive(records)).toEqual(records.map(() => false));
  expect(await inOther(others[0]!, "update", updates)).toEqual(records.map(() => false));
});

it("P3: three processes that change one session at the same time lose no step", async () => {
  const [record] = await created(1);
  const steps = Array.from({ length: 100 }, (_, index) => [
    record!.id,
    { counters: { n: 1 }, data: { set: { [`key${index % 10}`]: "1" } }, purgeAt: record!.purgeAt + index * HOUR },
  ]);
  const answers = await everywhere("update", steps);
  expect(answers.flat()).toEqual(Array.from({ length: 300 }, () => true));
  expect((await store.load(record!.id))!.counters.n).toBe(300);
});

it("P2: sees what another process has acknowledged, however recently it read itself", async () => {
  const records = await created(100);
  const unseen: string[] = [];
  for (const { id } of records) {
    expect(await store.load(id)).toBeDefined();
    const answered = inOther(others[0]!, "end", [[id, killed()]]);
    const reading = setInterval(() => store.load(id), 0);
    await answered;
    if ((await store.load(id)) !== undefined) unseen.push(id);
    clearInterval(reading);
  }
  expect(unseen).toEqual([]);
});

it("clears each record once when three processes clear at the same time", async () => {
  const now = Date.now();
  await created(1500, { purgeAt: now - HOUR });
  const answers = await everywhere("clear", [[now]]);
  expect(answers.flat().reduce<number>((sum, count) => sum + Number(count), 0)).toBe(1500);
});
