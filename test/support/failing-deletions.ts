import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { PacedDeletions } from "../../lib/stores/paced-deletions";

/** A process that deletes in transactions, of which the second or a later one fails; prints what came of it. */
let unhandled = 0;
process.on("unhandledRejection", () => (unhandled += 1));

function remove(entries: readonly number[]): number {
  if (entries.some((entry) => entry >= 4000)) throw new Error("full");
  return entries.length;
}

async function deleteAll() {
  const folder = new LmdbFolder(process.argv[2]!);
  let told = "nothing";
  try {
    const entries = Array.from({ length: 10_000 }, (_, n) => n);
    for await (const count of new PacedDeletions(folder).each([entries], remove)) told = `${count} deleted`;
  } catch (error) {
    const { code, cause } = error as { code?: string; cause?: Error };
    told = `${told}, then ${code}: ${cause?.message}`;
  }
  await folder.close();
  return { told, unhandled };
}

void deleteAll().then((answer) => console.log(JSON.stringify(answer)));
