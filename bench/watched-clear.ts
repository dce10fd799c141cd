import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Coatcheck from "coatcheck";

/** One clearing, as the process that did it saw it. */
export interface Clearing {
  readonly cleared: number;
  readonly seconds: number;
  /** The most by which the process's own memory grew meanwhile, without the mapped file, which is the kernel's. */
  readonly memoryMiB: number;
}

const SAMPLE_MS = 20;

/** Clears the default sessions of this process. */
export async function watchedClear(): Promise<Clearing> {
  const { clearSessions } = createRequire(__filename)("../dist/index.js") as typeof Coatcheck;
  const before = ownMemoryMiB();
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, ownMemoryMiB())), SAMPLE_MS);
  const start = performance.now();
  const cleared = await clearSessions();
  const seconds = (performance.now() - start) / 1000;
  clearInterval(sampling);
  return { cleared, seconds, memoryMiB: most - before };
}

/** Linux distinguishes a process's own memory from mapped files; elsewhere this is what V8 reports of itself. */
function ownMemoryMiB(): number {
  if (process.platform !== "linux") return (process.memoryUsage().heapTotal + process.memoryUsage().external) / 2 ** 20;
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
}
