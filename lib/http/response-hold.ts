import { AsyncLocalStorage } from "node:async_hooks";
import type { ServerResponse } from "node:http";
import type { HeldCall } from "./held-call";
import type { Sender } from "./node-response";
import type { ResponseGate } from "./response-gate";

/** Under this key a response keeps its hold; the hooks on it are shared by all responses. */
export const HOLD = Symbol("coatcheck.hold");

export interface HeldResponse extends ServerResponse {
  [HOLD]: ResponseHold;
}

/** Set for what runs in a gate: it may still set headers where the handler already sees them as sent. */
export const gateScope = new AsyncLocalStorage<ResponseHold>();

/**
 * - `open`: nothing was sent; the gate was not asked.
 * - `held`: the gate was asked before the headers, and the handler's calls wait.
 * - `passed`: calls go straight on.
 * - `ending`: the headers are gone, and `end` waits for the gate.
 * - `lost`: a save failed, and what the handler still sends is dropped.
 */
type Phase = "open" | "held" | "passed" | "ending" | "lost";

/** The methods that send the first byte of a response. */
export type Senders = Record<"write" | "end" | "writeHead" | "flushHeaders", Sender>;

/** The state of one response that is held. */
export class ResponseHold {
  phase: Phase = "open";
  /** The handler called `end`. */
  ended = false;
  /** The gate was asked about what changed before `end`. */
  endAsked = false;
  /** The methods that were on the response before ours: Node's, or those of a middleware mounted earlier. */
  readonly write: Sender;
  readonly end: Sender;
  readonly writeHead: Sender;
  readonly flushHeaders: Sender;

  /** What the handler sent meanwhile, in order, and the bytes of it. */
  calls: HeldCall[] = [];
  waitingBytes = 0;
  needsDrain = false;
  endCallback: (() => void) | undefined = undefined;
  /** The status line as it was when the handler sent it; what it assigns later no longer counts. */
  statusCode = 200;
  statusMessage = "";
  /** The own properties of the response that the held view stands before, while it does. */
  covered: Record<string, PropertyDescriptor | undefined> | undefined = undefined;
  error: unknown = undefined;

  constructor(
    res: ServerResponse,
    /** Our own methods. */
    readonly hooks: Senders,
    public gate: ResponseGate,
    public next: (error?: unknown) => void,
  ) {
    const senders = res as unknown as Senders;
    this.write = senders.write;
    this.end = senders.end;
    this.writeHead = senders.writeHead;
    this.flushHeaders = senders.flushHeaders;
  }
}

export function holdOf(res: ServerResponse): ResponseHold | undefined {
  return (res as Partial<HeldResponse>)[HOLD];
}

export function putSenders(res: ServerResponse, { write, end, writeHead, flushHeaders }: Senders): void {
  const senders = res as unknown as Senders;
  senders.write = write;
  senders.end = end;
  senders.writeHead = writeHead;
  // Not every response that a middleware is given has it.
  if (typeof senders.flushHeaders === "function") senders.flushHeaders = flushHeaders;
}
