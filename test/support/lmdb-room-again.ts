import { execFileSync } from "node:child_process";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { sessionRecord } from "./session-records";

/**
 * A process whose files can't grow, as on a full disk, and can as soon as lmdb reports a failed commit. Prints how many commits failed and
 * how many sessions of those created are there.
 */
let failedCommits = 0;
console.error = () => {
  failedCommits += 1;
  execFileSync("prlimit", ["--pid", String(process.pid), "--fsize=unlimited"]);
};

async function fillUp() {
  const path = process.argv[2]!;
  const store = new LmdbStore({ path });
  const ids: string[] = [];
  while (failedCommits === 0) {
    const record = sessionRecord({ userAgent: "x".repeat(3000) });
    await store.create(record);
    ids.push(record.id);
  }
  await store.close();
  const again = new LmdbStore({ path });
  const kept = ids.filter((id) => again.load(id) !== undefined).length;
  await again.close();
  return { failedCommits, lost: ids.length - kept };
}

void fillUp().then((answer) => console.log(JSON.stringify(answer)));
