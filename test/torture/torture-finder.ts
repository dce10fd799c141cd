import { setTimeout as delay } from "node:timers/promises";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";

/**
 * A process that only looks for sessions, slowly, so that there is always a search that began long ago:
 * `torture-finder FOLDER`. All that it writes to stderr is a violation.
 */
const store = new SqliteStore({ path: process.argv[2]! });
let isClosing = false;

async function search(state: "live" | "ended"): Promise<void> {
  let last = "";
  for await (const { id } of store.find({ state })) {
    if (id <= last) process.stderr.write(`find returned ${id} after ${last}\n`);
    last = id;
    if (isClosing) return;
    if (Math.random() < 0.2) await delay(Math.random() * 50);
  }
}

async function searching(): Promise<void> {
  while (!isClosing) {
    await Promise.all([search("live"), search("live"), search("ended"), delay(1)]);
    process.send?.({ searches: 1 });
  }
  await store.close();
  process.disconnect();
}

void searching();
process.once("SIGTERM", () => (isClosing = true));
process.send?.({ port: 0 });
