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
