/** What waits to be sent. */
export interface PipeSource {
  /** How many parts of a call could be sent now. */
  readonly waiting: number;
  /** How many callers have no answer yet, sent or not. */
  readonly unanswered: number;
  /** How many are about to be answered elsewhere, and to ask then. `joined` is to be called when some were answered. */
  readonly expected: number;
  /** Takes what may travel together; what it returns makes the call, answers the callers, and never rejects. */
  next(): (() => Promise<void>) | undefined;
}

/** Calls under way at most. */
const MOST_CALLS = 8;
/** While at most so many callers ask at a time, none waits for another. */
const FEW = 4;
/** For so many it is worth having one more call under way. */
const WORTH_A_CALL = 32;
/** How much of a crowd is still counted on at the next call. */
const MEMORY = 0.9;
/** The longest wait for calls under way before another is made, in milliseconds. An answer usually comes long before. */
const PATIENCE_MS = 50;
/** The longest wait for others to join, in milliseconds. */
const HOLD_MS = 10;
/** So many calls are made without such a wait after one that was for nothing: at first, and twice as many each time, up to the most. */
const FEWEST_WITHOUT = 4;
const MOST_WITHOUT = 256;

/**
 * Decides when what waits is sent. Few callers are sent at once. Many gather while a call is under way, and travel together
 * a turn after it returns; the more calls are under way, the more it takes for another one. They also wait a little for as many who are about to join them.
 * A call that hangs holds up nobody for long.
 */
export class DatastorePipe {
  readonly #source: PipeSource;
  readonly #again: (() => Promise<void>)[] = [];
  #underWay = 0;
  /** The most callers that asked at a time lately. */
  #crowd = 0;
  #isWoken = false;
  #hold: NodeJS.Timeout | undefined;
  /** Whether those who are expected were answered in this turn or the one before. */
  #isJoining = false;
  #callsWithoutHold = 0;
  #nextWithoutHold = FEWEST_WITHOUT;
  #patience: NodeJS.Timeout | undefined;
  #whenIdle: (() => void) | undefined;
  #idle: Promise<void> | undefined;

  constructor(source: PipeSource) {
    this.#source = source;
  }

  /** To be called when more waits. Few are sent with what is asked in this run of code, a crowd with all that this turn brings. */
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

  /** To be called when some were answered whom `expected` counted. */
  joined(): void {
    if (this.#hold === undefined || this.#isJoining) return;
    this.#isJoining = true;
    this.#nextWithoutHold = FEWEST_WITHOUT;
    setImmediate(() => setImmediate(this.#endJoining));
  }

  /** Makes one more call, before those that were not made yet. */
  again(send: () => Promise<void>): void {
    this.#again.push(send);
    this.#pump();
  }

  /** Resolves when nobody waits for an answer. */
  idle(): Promise<void> {
    this.#idle ??= new Promise((resolve) => (this.#whenIdle = resolve));
    this.#noteIdle();
    return this.#idle;
  }

  /** Those who were answered just now are served first, and what the next turn brings meanwhile goes along. */
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
    while (this.#isTime() && !this.#isHeld() && this.#sendNext());
    this.#watch();
  }

  #isTime(): boolean {
    const calls = this.#underWay;
    if (calls >= MOST_CALLS) return false;
    if (this.#again.length > 0) return true;
    const { waiting } = this.#source;
    return waiting > 0 && (calls === 0 || this.#crowd <= FEW || waiting >= WORTH_A_CALL * calls);
  }

  /** Whether those who wait are held for as many to join them: a crowd in two halves, of which each waits for the other's calls, makes twice as many. */
  #isHeld(): boolean {
    if (this.#again.length > 0) return false;
    if (this.#isJoining) return true;
    const { waiting, expected } = this.#source;
    const isCrowd = this.#crowd > FEW && waiting + expected > FEW;
    if (!isCrowd || expected < waiting || this.#callsWithoutHold > 0) return false;
    this.#hold ??= setTimeout(this.#endHold, HOLD_MS);
    return true;
  }

  readonly #endJoining = (): void => {
    this.#isJoining = false;
    this.#pump();
  };

  readonly #endHold = (): void => {
    this.#isJoining = false;
    this.#callsWithoutHold = this.#nextWithoutHold;
    this.#nextWithoutHold = Math.min(MOST_WITHOUT, 2 * this.#nextWithoutHold);
    this.#pump();
  };

  #sendNext(): boolean {
    const send = this.#again.shift() ?? this.#source.next();
    if (send === undefined) return false;
    clearTimeout(this.#hold);
    this.#hold = undefined;
    this.#isJoining = false;
    if (this.#callsWithoutHold > 0) this.#callsWithoutHold -= 1;
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
