import type { ServerResponse } from "node:http";
import type { Closing } from "./guarded-socket";
import type { HeldCall } from "./held-call";
import type { Sender } from "./node-response";
import type { ResponseGate } from "./response-gate";
import type { ShownHead } from "./shown-head";

/** Under this key a response keeps what holds it; what is derived from a response, or a proxy of it, shows the same. */
const HOLD = Symbol("coatcheck.hold");

/**
 * - `open`: nothing was sent; the gate was not asked.
 * - `held`: the gate was asked before the headers, and the handler's calls wait.
 * - `passed`: calls go straight on.
 * - `ending`: the headers are gone, and `end` waits for the gate.
 * - `lost`: a save failed, and what the handler still sends is dropped.
 */
type Phase = "open" | "held" | "passed" | "ending" | "lost";

/** The methods that send the first byte of a response. */
export type Senders = Record<SenderName, Sender>;
export type SenderName = "write" | "end" | "writeHead" | "flushHeaders";
export const SENDER_NAMES: readonly SenderName[] = ["write", "end", "writeHead", "flushHeaders"];

/** Our senders, and those that they stand before: Node's, or those of a middleware mounted earlier. */
export interface SenderLayer {
  readonly hooks: Senders;
  readonly below: Senders;
}

/** What the handler sent while its response was held. */
export interface HeldAnswer {
  /** In order. */
  calls: HeldCall[];
  waitingBytes: number;
  needsDrain: boolean;
  endCallback: (() => void) | undefined;
  /** The head as Node would have sent it. */
  head: ShownHead | undefined;
  /** Whether a head was sent, where the response shows that one was. */
  headSent: boolean | undefined;
  /** Its connection is to be closed afterwards; undefined where nobody has asked for that. */
  closing: Closing | undefined;
  /** It was destroyed itself, after it was complete; with this error, where there is one. */
  destroyed: boolean;
  destroyedFor: unknown;
}

/** The state of one response that is held. */
export class ResponseHold {
  phase: Phase = "open";
  /** The handler called `end`. */
  ended = false;
  /** The outermost `writeHead` is being run for a sender that makes its head itself. */
  runsHead = false;
  /** The gate's answer to a head that Node then refused to make; the next head waits for it, too. */
  unsent: Promise<void> | undefined = undefined;
  /** The gate was asked about what changed before `end`. */
  endAsked = false;
  /** The names of the headers that were set since the response is held. */
  headerNames: string[] | undefined = undefined;
  /** Undefined where nothing had to wait. */
  held: HeldAnswer | undefined = undefined;
  error: unknown = undefined;

  constructor(
    readonly res: ServerResponse,
    readonly layer: SenderLayer,
    public gate: ResponseGate,
    public next: (error?: unknown) => void,
  ) {}

  /** Whether the handler is to see its response as sent although nothing was. */
  get isWaiting(): boolean {
    return this.phase === "held" || this.phase === "ending";
  }

  /** What the handler sent; from its first call that has to wait. */
  heldAnswer(): HeldAnswer {
    return (this.held ??= {
      calls: [],
      waitingBytes: 0,
      needsDrain: false,
      endCallback: undefined,
      head: undefined,
      headSent: undefined,
      closing: undefined,
      destroyed: false,
      destroyedFor: undefined,
    });
  }
}

/** What holds this response; undefined for those that nothing holds, which have our hooks too. */
export function holdOf(res: MaybeHeld): ResponseHold | undefined {
  return res[HOLD];
}

/** From now on, this holds its response. */
export function keepHold(hold: ResponseHold): void {
  (hold.res as MaybeHeld)[HOLD] = hold;
}

interface MaybeHeld extends ServerResponse {
  [HOLD]?: ResponseHold;
}
