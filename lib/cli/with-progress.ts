import { Presets, SingleBar } from "cli-progress";
import type { Streams } from "./command";

export interface ProgressOptions {
  /** What is being done, such as "ending". */
  readonly doing: string;
  /** How much there is to do; absent where that is not known. */
  readonly total?: number;
}

/** Does long work, and shows how far it is where a person looks at stderr. The work tells how many are done so far. */
export async function withProgress<T>(
  { stderr }: Streams,
  { doing, total }: ProgressOptions,
  work: (done: (count: number) => void) => Promise<T>,
): Promise<T> {
  if (stderr.isTTY !== true) return work(() => undefined);
  const format =
    total === undefined
      ? `${doing}: {value} ({duration_formatted})`
      : `${doing} [{bar}] {percentage}% {value}/{total}, {eta_formatted} to go`;
  // Its own handler of SIGINT would keep the process from ending by it, and one that ends must leave the terminal as it was.
  const asFound = { gracefulExit: false, linewrap: null, hideCursor: null };
  const bar = new SingleBar({ format, stream: stderr, clearOnComplete: true, ...asFound }, Presets.legacy);
  bar.start(total ?? 0, 0);
  try {
    return await work((count) => {
      // There may be more than there were at the start.
      if (count > bar.getTotal()) bar.setTotal(count);
      bar.update(count);
    });
  } finally {
    bar.stop();
  }
}
