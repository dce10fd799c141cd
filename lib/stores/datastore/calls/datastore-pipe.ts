/** What waits to be sent. */
export interface PipeSource {
  /** How many parts of a call could be sent now. */
  readonly waiting: number;
  /** How many callers have no result yet, whether or not their call was sent. */
  readonly unanswered: number;
  /**
   * How many callers will probably ask soon, once something else that they wait for is done. Call `joined` when some of
   * that is done.
   */
  readonly expected: number;
  /**
   * Takes what may be sent together. The function that it returns makes the call and settles the callers' promises; it
   * never rejects.
   */
  next(): (() => Promise<void>) | undefined;
}

/** The most calls under way at a time. */
const MOST_CALLS = 8;
/** With up to this many callers at a time, nobody waits for others. */
const FEW = 4;
/** How many waiting callers are worth one more call under way. */
const WORTH_A_CALL = 32;
/** The share of a crowd that is still expected at the next call. */
const MEMORY = 0.9;
/**
 * How long callers wait for a call under way before another one is made, in milliseconds. Most calls are done long
 * before.
 */
const PATIENCE_MS = 50;
/** How long callers wait for others to join them, in milliseconds. */
const JOIN_WAIT_MS = 10;
/**
 * After a useless wait for others, this many calls are made without one. The number doubles each time, up to
 * MOST_CALLS_WITHOUT_WAIT.
 */
const FEWEST_CALLS_WITHOUT_WAIT = 4;
const MOST_CALLS_WITHOUT_WAIT = 256;

/**
 * Decides when waiting work is sent. With few callers, it is sent at once. With many, it gathers while a call is under
 * way and is sent together, one turn of the event loop after that call returns; the more calls are under way, the more
 * callers it takes for another one. Callers also wait a little where at least as many others will probably join them. A
 * call that hangs delays nobody for long.
 */
export class DatastorePipe {
  readonly #source: PipeSource;
  readonly #again: (() => Promise<void>)[] = [];
  #underWay = 0;
  /** The most callers who waited at the same time lately. */
  #crowd = 0;
  #isWoken = false;
  #joinWait: NodeJS.Timeout | undefined;
  /** Whether expected callers began to join in this turn of the event loop or the one before. */
  #isJoining = false;
  #callsWithoutWait = 0;
  #nextWithoutWait = FEWEST_CALLS_WITHOUT_WAIT;
  #patience: NodeJS.Timeout | undefined;
  #whenIdle: (() => void) | undefined;
  #idle: Promise<void> | undefined;

  constructor(source: PipeSource) {
    this.#source = source;
  }

  /**
   * To be called when there is more to send. With few callers it is sent after the code that runs now, with a crowd at
   * the end of this turn of the event loop.
   */
  wake(): void {
    this.#crowd = Math.max(this.#crowd, this.#source.unanswered);
    if (this.#isWoken) return;
    if (!this.#isTime()) {
      this.#watch();
      return;
    }
    this.#isWoken = true;
    if (this.#crowd > FEW) setImmediate(this.#woken);
    else queueMicrotask(this.#woken);
  }

  /** To be called when some of the callers that `expected` counts may ask now. */
  joined(): void {
    if (this.#joinWait === undefined || this.#isJoining) return;
    this.#isJoining = true;
    this.#nextWithoutWait = FEWEST_CALLS_WITHOUT_WAIT;
    setImmediate(() => setImmediate(this.#endJoining));
  }

  /** Makes this call before any that was not made yet. */
  again(send: () => Promise<void>): void {
    this.#again.push(send);
    this.#pump();
  }

  /** Resolves when nobody waits for a result. */
  idle(): Promise<void> {
    this.#idle ??= new Promise((resolve) => (this.#whenIdle = resolve));
    this.#noteIdle();
    return this.#idle;
  }

  /** Callers that just got their results go on first; what they and others ask for in the next turn is sent along. */
  #wakeAfterTurn(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => setImmediate(this.#woken));
  }

  readonly #woken = (): void => {
    this.#isWoken = false;
    this.#pump();
  };

  #pump(): void {
    while (this.#isTime() && !this.#isWaitingForOthers() && this.#sendNext());
    this.#watch();
  }

  #isTime(): boolean {
    const calls = this.#underWay;
    if (calls >= MOST_CALLS) return false;
    if (this.#again.length > 0) return true;
    const { waiting } = this.#source;
    return waiting > 0 && (calls === 0 || this.#crowd <= FEW || waiting >= WORTH_A_CALL * calls);
  }

  /**
   * Whether to wait until expected callers have joined. A crowd that splits in two halves, each waiting for the other's
   * call, would make twice as many calls.
   */
  #isWaitingForOthers(): boolean {
    if (this.#again.length > 0) return false;
    if (this.#isJoining) return true;
    const { waiting, expected } = this.#source;
    const isCrowd = this.#crowd > FEW && waiting + expected > FEW;
    if (!isCrowd || expected < waiting || this.#callsWithoutWait > 0) return false;
    this.#joinWait ??= setTimeout(this.#endWait, JOIN_WAIT_MS);
    return true;
  }

  readonly #endJoining = (): void => {
    this.#isJoining = false;
    this.#pump();
  };

  readonly #endWait = (): void => {
    this.#isJoining = false;
    this.#callsWithoutWait = this.#nextWithoutWait;
    this.#nextWithoutWait = Math.min(MOST_CALLS_WITHOUT_WAIT, 2 * this.#nextWithoutWait);
    this.#pump();
  };

  #sendNext(): boolean {
    const send = this.#again.shift() ?? this.#source.next();
    if (send === undefined) return false;
    clearTimeout(this.#joinWait);
    this.#joinWait = undefined;
    this.#isJoining = false;
    if (this.#callsWithoutWait > 0) this.#callsWithoutWait -= 1;
    this.#underWay += 1;
    this.#crowd *= MEMORY;
    void send().finally(() => {
      this.#underWay -= 1;
      if (this.#crowd > FEW) this.#wakeAfterTurn();
      else this.#pump();
      this.#noteIdle();
    });
    return true;
  }

  #watch(): void {
    if (this.#source.waiting > 0) {
      this.#patience ??= setTimeout(this.#hurry, PATIENCE_MS);
    } else {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
  }

  readonly #hurry = (): void => {
    this.#patience = undefined;
    if (this.#underWay < MOST_CALLS) this.#sendNext();
    this.#pump();
  };

  #noteIdle(): void {
    if (this.#underWay === 0 && this.#source.unanswered === 0) this.#whenIdle?.();
  }
}
