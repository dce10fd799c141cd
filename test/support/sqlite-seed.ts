import type { SessionRecord } from "../../lib/record/session-record";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { sessionRecord } from "./session-records";

/**
 * A process that fills a session file and ends properly, so that `sessions.db` is left alone. Its arguments are the
 * folder, the number of sessions, and fields of each; it prints their ids.
 */
const [path, count, fields] = process.argv.slice(2);

async function seed(): Promise<string[]> {
  const store = new SqliteStore({ path: path! });
  const records = Array.from({ length: Number(count) }, () =>
    sessionRecord(JSON.parse(fields!) as Partial<SessionRecord>),
  );
  await Promise.all(records.map((record) => store.create(record)));
  await store.close();
  return records.map(({ id }) => id);
}

void seed().then((ids) => console.log(JSON.stringify(ids)));
