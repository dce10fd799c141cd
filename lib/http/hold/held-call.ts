import type { Sender } from "./node-response";

/** What a handler sent while its response was held. */
export interface HeldCall {
  readonly send: Sender;
  readonly args: unknown[];
}

type Callback = (error?: unknown) => void;

export function callbackOf(args: unknown[]): Callback | undefined {
  return args.find((arg) => typeof arg === "function") as Callback | undefined;
}

/** How many bytes a `write` with these arguments is. */
export function bytesOf([chunk, encoding]: unknown[]): number {
  return Buffer.byteLength(chunk as string, typeof encoding === "string" ? (encoding as BufferEncoding) : undefined);
}

/** Tells the callback of a `write`, as Node does for a response that is destroyed. */
export function failWrite(args: unknown[], error: unknown): void {
  const callback = callbackOf(args);
  if (callback !== undefined) process.nextTick(callback, error);
}
