import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { sessionRecord } from "./session-records";

/**
 * A process that uses a store, as much as its second argument says, and never closes it. Then it has nothing else to
 * do, or exits at once.
 */
const [path = "", updates, exits] = process.argv.slice(2);

async function use(): Promise<void> {
  const store = new SqliteStore({ path });
  const record = sessionRecord();
  await store.create(record);
  for (let n = 0; n < Number(updates); n += 1) await store.update(record.id, { counters: { n: 1 } });
  console.log(`${(await store.load(record.id))?.counters.n ?? 0} updates`);
  if (exits === "exit") process.exit(0);
}

void use();
