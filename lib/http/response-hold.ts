import type { ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { HeldCall } from "./held-call";
import type { Sender } from "./node-response";
import { REQUEST_SESSION } from "./request-slot";
import type { RequestWithSession } from "./request-slot";
import type { ResponseGate } from "./response-gate";

/**
 * Where a hold is kept beside its request: on the connection that carries the response, or on the response itself where none does. It is found more quickly over
 * the request, but a response may be given another one, or none, before it is sent: an app that answers a request of its own with it does so.
 */
const HOLD = Symbol("coatcheck.hold");

interface Holding {
  [HOLD]?: ResponseHold | undefined;
}

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
  /** The status line as it was when the handler sent it; what it assigns later no longer counts. */
  readonly statusCode: number;
  readonly statusMessage: string;
}

/** The state of one response that is held. */
export class ResponseHold {
  phase: Phase = "open";
  /** The handler called `end`. */
  ended = false;
  /** The gate was asked about what changed before `end`. */
  endAsked = false;
  /** The names of the headers that were set since the response is held. */
  headerNames: string[] | undefined = undefined;
  /** Undefined where nothing had to wait. */
  held: HeldAnswer | undefined = undefined;
  error: unknown = undefined;
  connection: Holding | undefined = undefined;

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
  heldAnswer(res: ServerResponse): HeldAnswer {
    return (this.held ??= {
      calls: [],
      waitingBytes: 0,
      needsDrain: false,
      endCallback: undefined,
      statusCode: res.statusCode,
      statusMessage: res.statusMessage,
    });
  }
}

/** What holds this response; undefined for those that nothing holds, which have our hooks too. An app may make several for one request, and give a response another request. */
export function holdOf(res: ServerResponse): ResponseHold | undefined {
  const hold = placeOf(res)?.hold;
  return hold?.res === res ? hold : (holdBeside(res) ?? holdOfView(res, hold));
}

function holdBeside(res: ServerResponse & Holding): ResponseHold | undefined {
  const { socket } = res as { readonly socket?: Holding | null };
  const carried = socket?.[HOLD];
  return carried?.res === res ? carried : res[HOLD];
}

/** From now on, this holds its response. */
export function keepHold(hold: ResponseHold): void {
  const { res }: { res: ServerResponse & Holding } = hold;
  const place = placeOf(res);
  if (place !== undefined && (place.hold === undefined || place.hold.res === res)) place.hold = hold;
  // A connection carries one response at a time; those of requests that were sent ahead have none until it is their turn.
  if (res.socket instanceof Socket) hold.connection = res.socket as Holding;
  (hold.connection ?? res)[HOLD] = hold;
}

/** The same, also after the connection has gone on to its next request: what a handler still sends is to be dropped then. */
export function keepHoldForGood(hold: ResponseHold): void {
  (hold.res as Holding)[HOLD] = hold;
}

/** The response is ended, and a connection that waits for its next request need not keep it. */
export function forgetHold(hold: ResponseHold): void {
  if (hold.connection?.[HOLD] === hold) hold.connection[HOLD] = undefined;
}

function placeOf(res: ServerResponse): { hold: ResponseHold | undefined } | undefined {
  return (res as { readonly req?: RequestWithSession }).req?.[REQUEST_SESSION];
}

/** Of what is derived from a held response, or a proxy of it: both show the very output that Node keeps for it. */
function holdOfView(view: ServerResponse, hold: ResponseHold | undefined): ResponseHold | undefined {
  if (hold === undefined) return undefined;
  const { outputData } = view as { readonly outputData?: unknown };
  const { outputData: held } = hold.res as { readonly outputData?: unknown };
  return held !== undefined && outputData === held ? hold : undefined;
}
