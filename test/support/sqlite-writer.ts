import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { killed, sessionRecord } from "./session-records";

/**
 * A process that writes until it is killed, with as many writes at once as it is told, and reports each to its parent
 * as soon as it is acknowledged.
 */
const store = new SqliteStore({ path: process.argv[2]! });
const LANES = Number(process.argv[3]);

async function updating(): Promise<never> {
  const { id } = await created();
  for (let n = 1; ; n += 1) {
    const purgeAt = Date.now() + n * 600_000;
    await store.update(id, { data: { set: { n: String(n) } }, expiresAt: purgeAt, purgeAt, owner: `user${n % 7}` });
    process.send!({ step: "updated", id, n });
  }
}

async function replacing(): Promise<never> {
  for (;;) {
    const old = await created();
    const successor = sessionRecord({ owner: "alice" });
    await store.replace(old.id, killed(), successor);
    process.send!({ step: "replaced", id: old.id, by: successor.id });
    await store.end(successor.id, killed());
    process.send!({ step: "ended", id: successor.id });
  }
}

async function created() {
  const record = sessionRecord();
  await store.create(record);
  process.send!({ step: "created", id: record.id });
  return record;
}

for (let lane = 0; lane < LANES; lane += 1) void (lane % 2 === 0 ? updating() : replacing());
