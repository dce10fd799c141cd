import { LmdbStore } from "../../lib/stores/lmdb-store";
import { sessionRecord } from "./session-records";

/** A process that uses a store, never closes it, and has nothing else to do. */
const store = new LmdbStore({ path: process.argv[2]! });
const record = sessionRecord();
void store.create(record).then(() => {
  if (store.load(record.id) !== undefined) console.log("created");
});
