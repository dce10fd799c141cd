/** Nobody reads any more what is written: the other end of the pipe has gone, as that of `head` does. */
export class OutputClosed extends Error {}

/** A stream that is written to one after the other, so that however much it is, it is never all in memory. */
export class Output {
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    // Each write tells of its own failure; without a listener the same error would also end the process.
    stream.on("error", () => undefined);
  }

  /** Resolves when it is written. Rejects with `OutputClosed` where nobody reads it. */
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
}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED";
}
