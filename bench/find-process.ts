/**
 * Streams the headers of all live sessions of a place: `find-process.ts <place>` prints `FoundAll` as JSON. Needs
 * `--expose-gc`.
 */
import { openPlace } from "./places";

/** What a process needed to stream all sessions. */
export interface FoundAll {
  readonly sessions: number;
  readonly seconds: number;
  /** By how many MiB its resident memory was larger than at the start, at most. */
  readonly residentMiB: number;
  /** The same of what was still in use after a garbage collection. */
  readonly usedMiB: number;
}

/** How often the memory is looked at, in sessions. */
const LOOK_EVERY = 1_000;
/** How often the garbage is collected before that, in sessions. */
const COLLECT_EVERY = 5_000;

void main();

async function main(): Promise<void> {
  const [place = ""] = process.argv.slice(2);
  const store = openPlace(place);
  // What it loads and connects at its first call is not counted.
  await store.load("a first call");
  const used = () => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const usedBefore = used();
  const residentBefore = process.memoryUsage.rss();
  let [sessions, resident, most] = [0, 0, 0];
  const start = performance.now();
  for await (const { id } of store.find({ state: "live", fields: "header" })) {
    sessions += Number(id !== "");
    if (sessions % LOOK_EVERY === 0) resident = Math.max(resident, process.memoryUsage.rss() - residentBefore);
    if (sessions % COLLECT_EVERY === 0) most = Math.max(most, used() - usedBefore);
  }
  const seconds = (performance.now() - start) / 1000;
  await store.close();
  const found: FoundAll = { sessions, seconds, residentMiB: resident / 2 ** 20, usedMiB: most / 2 ** 20 };
  console.log(JSON.stringify(found));
}
