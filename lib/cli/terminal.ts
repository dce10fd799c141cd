import { createInterface } from "node:readline";
import { Presets, SingleBar } from "cli-progress";

/** The streams of a command line. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream & {
    readonly isTTY?: boolean;
    /** Of a terminal: whether keys arrive as they are typed, and Ctrl-C is one of them. */
    setRawMode?(isRaw: boolean): unknown;
  };
  /** A terminal has a number of `rows`. */
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly rows?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Nobody reads the output any more: the other end of the pipe is gone, as that of `head` is after its last line. */
export class OutputClosed extends Error {}

/** How many lines are written at once. */
const LINES_AT_ONCE = 200;

/** A stream that is written piece by piece, so that long output is never in memory as a whole. */
export class Output {
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    // Each write reports its own failure; without a listener the same error would also end the process.
    stream.on("error", () => undefined);
  }

  /** Resolves once the text is written. Rejects with `OutputClosed` where nobody reads it. */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(isClosed(error) ? new OutputClosed(error.message, { cause: error }) : error);
      });
    });
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** Writes lines as they come, many at a time. Resolves to their number. */
  async lines(lines: AsyncIterable<string>): Promise<number> {
    let count = 0;
    let waiting = "";
    for await (const line of lines) {
      count += 1;
      waiting += `${line}\n`;
      if (count % LINES_AT_ONCE > 0) continue;
      await this.write(waiting);
      waiting = "";
    }
    if (waiting !== "") await this.write(waiting);
    return count;
  }
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED";
}

/** Asks a person to type "yes" or the number in the question. Anything else, and the end of the input, is a no. */
export async function confirmed({ stdin, stderr }: Streams, question: string, count: number): Promise<boolean> {
  stderr.write(question);
  // Not as a terminal, where Ctrl-C would be an ordinary character and not end the process.
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.once("line", resolve).once("close", () => resolve(""));
    });
    return answer.trim().toLowerCase() === "yes" || answer.trim() === String(count);
  } finally {
    lines.close();
  }
}

export interface ProgressOptions {
  /** What is being done, such as "ending". */
  readonly doing: string;
  /** How much there is to do; absent where that is not known. */
  readonly total?: number;
}

/** Does long work, and shows its progress where stderr is a terminal. The work reports how much is done so far. */
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
  // The bar's own handler of SIGINT would keep the process alive, and the terminal must be left as it was found.
  const asFound = { gracefulExit: false, linewrap: null, hideCursor: null };
  const bar = new SingleBar({ format, stream: stderr, clearOnComplete: true, ...asFound }, Presets.legacy);
  bar.start(total ?? 0, 0);
  try {
    return await work((count) => {
      // There may be more than at the start.
      if (count > bar.getTotal()) bar.setTotal(count);
      bar.update(count);
    });
  } finally {
    bar.stop();
  }
}
