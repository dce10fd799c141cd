import type { Streams } from "../terminal";

/** What a terminal in raw mode sends for `q`, Ctrl-C and Ctrl-D. */
const STOP_KEYS = /[qQ\u0003\u0004]/; // eslint-disable-line no-control-regex
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Does work until a person presses q or Ctrl-C, or the process is told to end. The terminal is left as it was found. */
export async function untilStopped<T>({ stdin }: Streams, work: (stopped: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const onKey = (keys: Buffer | string) => {
    if (STOP_KEYS.test(keys.toString())) stop();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  if (stdin.isTTY === true) {
    stdin.setRawMode?.(true);
    stdin.on("data", onKey).on("end", stop).resume();
  }
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
    if (stdin.isTTY === true) {
      stdin.off("data", onKey).off("end", stop).pause();
      stdin.setRawMode?.(false);
    }
  }
}
