import { setTimeout as delay } from "node:timers/promises";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { PacedWrites } from "../../lib/stores/paced-writes";

/** A process that writes pages, of which the second fails while the first is under way; prints what came of it. */
let unhandled = 0;
process.on("unhandledRejection", () => (unhandled += 1));

async function write(page: readonly number[]): Promise<number> {
  if (page[0] === 2) throw new Error("full");
  await delay(50);
  return page.length;
}

async function writePages() {
  const folder = new LmdbFolder(process.argv[2]!);
  let told = "nothing";
  try {
    for await (const count of new PacedWrites(folder).each([[1], [2], [3]], write)) told = `${count} written`;
  } catch (error) {
    told = `${told}, then: ${(error as Error).message}`;
  }
  await folder.close();
  return { told, unhandled };
}

void writePages().then((answer) => console.log(JSON.stringify(answer)));
