import type { ServerResponse } from "node:http";
import type { Closing } from "./guarded-socket";
import type { Sender } from "./node-response";
import type { ShownHead } from "./response-head";

/**
 * Under this key a response keeps the state of its hold; an object derived from a response, or a proxy of it, shows the
 * same.
 */
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
type SenderName = "write" | "end" | "writeHead" | "flushHeaders";
export const SENDER_NAMES: readonly SenderName[] = ["write", "end", "writeHead", "flushHeaders"];

/** Our senders, and those below them: Node's, or those of a middleware mounted earlier. */
export interface SenderLayer {
  readonly hooks: Senders;
  readonly below: Senders;
}

/** A call of a sender that the handler made while its response was held. */
export interface HeldCall {
  readonly send: Sender;
  readonly args: unknown[];
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
  /** Whether a head was really sent, where the response shows that one was. */
  headSent: boolean | undefined;
  /** How its connection is to be closed afterwards; undefined where nobody has asked for that. */
  closing: Closing | undefined;
  /** Whether the handler destroyed the response after it had ended it. */
  destroyed: boolean;
  /** The error that it destroyed it with; undefined for none. */
  destroyedFor: unknown;
}

/** The state of one response that is held. */
export class HoldState {
  phase: Phase = "open";
  /** The handler called `end`. */
  ended = false;
  /** The outermost `writeHead` is being run for a sender that makes its head itself. */
  runsHead = false;
  /** The gate's answer to a head that Node then refused to make; the next head waits for it, too. */
  unsent: Promise<void> | undefined = undefined;
  /** The gate was asked about what changed before `end`. */
  endAsked = false;
  /** The names of the headers that were set since the response has been held. */
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

  /** What the handler sent; made by its first call that has to wait. */
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

/** The hold of this response; undefined where nothing holds it, although it has our hooks. */
export function holdOf(res: MaybeHeld): HoldState | undefined {
  return res[HOLD];
}

/** Holds its response from now on. */
export function keepHold(hold: HoldState): void {
  (hold.res as MaybeHeld)[HOLD] = hold;
}

interface MaybeHeld extends ServerResponse {
  [HOLD]?: HoldState;
}

/** Puts these senders on a response. Not every response that a middleware is given has all of them. */
export function putSenders(res: ServerResponse, senders: Senders): void {
  const own = res as unknown as Partial<Senders>;
  for (const name of SENDER_NAMES) if (typeof own[name] === "function") own[name] = senders[name];
}

type Callback = (error?: unknown) => void;

export function callbackOf(args: unknown[]): Callback | undefined {
  return args.find((arg) => typeof arg === "function") as Callback | undefined;
}

/** How many bytes a `write` with these arguments sends. */
export function bytesOf([chunk, encoding]: unknown[]): number {
  return Buffer.byteLength(chunk as string, typeof encoding === "string" ? (encoding as BufferEncoding) : undefined);
}

/** Calls the callback of a `write` as Node does for a response that is destroyed. */
export function failWrite(args: unknown[], error: unknown): void {
  const callback = callbackOf(args);
  if (callback !== undefined) process.nextTick(callback, error);
}

/**
 * What a response is held for: the gate is asked before the first byte and before the end, and sets its headers in
 * between. The session of each request is one; no closures are made.
 */
export interface ResponseGate {
  /**
   * Called once, before the first byte of the final response: stores what changed. `undefined` means that there is
   * nothing to wait for, and the byte goes in the same turn. Rejecting or throwing means that the change is not stored.
   */
  beforeHeaders(): Promise<void> | undefined;

  /** Called right after that, where it went well: sets our headers on the response. */
  setHeaders(): void;

  /** Called where nothing was sent, and an error page will be: sets the headers that it needs all the same. */
  setHeadersOfFailure(error: unknown): void;

  /**
   * Called before `end`, where the headers went earlier: stores what changed since then. `undefined` means that there
   * is nothing to wait for. Not called where `end` itself was the first to send. Rejecting or throwing leaves the
   * client with an incomplete answer.
   */
  beforeEnd(): Promise<void> | undefined;

  /**
   * Called where a save failed and Express's error handling can't be reached: the handler is still writing, or bytes
   * are gone.
   */
  onLost(error: unknown): void;
}

/** Two gates on one response. It passes when both let it, and each is asked whatever the other answers. */
export function bothGates(first: ResponseGate, second: ResponseGate): ResponseGate {
  return {
    beforeHeaders: () =>
      whenBoth(
        answerOf(() => first.beforeHeaders()),
        answerOf(() => second.beforeHeaders()),
      ),
    setHeaders: () => {
      first.setHeaders();
      second.setHeaders();
    },
    setHeadersOfFailure: (error) => {
      first.setHeadersOfFailure(error);
      second.setHeadersOfFailure(error);
    },
    beforeEnd: () =>
      whenBoth(
        answerOf(() => first.beforeEnd()),
        answerOf(() => second.beforeEnd()),
      ),
    onLost: (error) => {
      first.onLost(error);
      second.onLost(error);
    },
  };
}

type Answer = Promise<void> | undefined;

function answerOf(ask: () => Answer): Answer {
  try {
    return ask();
  } catch (error) {
    const failure = error as Error;
    return Promise.reject(failure);
  }
}

/** Waits for both answers, even where one has failed: no byte, and no error page, goes while a save is under way. */
export function whenBoth(first: Answer, second: Promise<void>): Promise<void>;
export function whenBoth(first: Answer, second: Answer): Answer;
export function whenBoth(first: Answer, second: Answer): Answer {
  if (first === undefined) return second;
  if (second === undefined) return first;
  return Promise.allSettled([first, second]).then((answers) => {
    for (const answer of answers) if (answer.status === "rejected") throw answer.reason as Error;
  });
}
