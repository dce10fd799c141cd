import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { SessionError } from "../../lib/errors";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { killed, sessionRecord } from "./session-records";

/**
 * A process whose files can't grow beyond a limit. Writing meets that like a full disk, until the process lifts the
 * limit; then it prints what came of it. Its second argument says whether it closes the store before that or
 * afterwards.
 */
const [path = "", closes] = process.argv.slice(2);
let unhandled = 0;
process.on("unhandledRejection", () => (unhandled += 1));

/** Creates sessions, and changes them, until that has failed often enough. */
async function fillUp(store: SqliteStore) {
  const acknowledged: string[] = [];
  const failures: SessionError[] = [];
  while (failures.length < 20) {
    const batch = Array.from({ length: 10 }, () => sessionRecord({ userAgent: "x".repeat(3000) }));
    const results = await Promise.allSettled(batch.map((record) => store.create(record)));
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") acknowledged.push(batch[index]!.id);
      else failures.push(result.reason as SessionError);
    }
  }
  return { acknowledged, failures };
}

async function areThere(store: SqliteStore, ids: readonly string[]): Promise<boolean> {
  const loaded = await Promise.all(ids.map((id) => store.load(id)));
  return loaded.every((record) => record !== undefined);
}

async function run() {
  const store = new SqliteStore({ path });
  const { acknowledged, failures } = await fillUp(store);
  const answer = {
    codes: [...new Set(failures.map(({ code }) => code))],
    message: failures[0]!.message,
    areThere: await areThere(store, acknowledged),
  };
  if (closes === "full") await store.close();
  execFileSync("prlimit", ["--pid", String(process.pid), "--fsize=unlimited:unlimited"]);
  const again = closes === "full" ? new SqliteStore({ path }) : store;
  const [first, ...rest] = acknowledged;
  const afterwards = {
    created: await again.create(sessionRecord()).then(() => true),
    updated: await again.update(rest[0]!, { owner: "alice" }),
    ended: await again.end(first!, killed()),
    areStillThere: await areThere(again, rest),
  };
  await again.close();
  await delay(50);
  return { ...answer, ...afterwards, unhandled };
}

void run().then((answer) => console.log(JSON.stringify(answer)));
