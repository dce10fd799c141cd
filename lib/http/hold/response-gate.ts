/** What the session of one request does around its response. One object per request implements it; no closures are made. */
export interface ResponseGate {
  /**
   * Once, before the first byte of the final response: stores what changed. `undefined` means that nothing has to be waited
   * for: the byte goes in the same turn. Rejecting or throwing means that the change is not stored.
   */
  beforeHeaders(): Promise<void> | undefined;

  /** Right after that, where it went well: sets our headers on the response. */
  setHeaders(): void;

  /** Nothing was sent, and an error page will be: sets the headers that it needs all the same. */
  setHeadersOfFailure(error: unknown): void;

  /**
   * Before `end`, where the headers went earlier: stores what changed since then. `undefined`: nothing to wait for.
   * Not called where `end` itself was the first to send. Rejecting or throwing leaves the client an incomplete answer.
   */
  beforeEnd(): Promise<void> | undefined;

  /** A save failed and Express's error handling can't be reached: the handler is still writing, or bytes are gone. */
  onLost(error: unknown): void;
}

/** Two gates on one response: it passes when both let it, and each is asked whatever the other says. */
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

/** Two answers as one: the slower one's even where the other failed. No byte, and no error page, goes while a save is under way. */
export function whenBoth(first: Answer, second: Promise<void>): Promise<void>;
export function whenBoth(first: Answer, second: Answer): Answer;
export function whenBoth(first: Answer, second: Answer): Answer {
  if (first === undefined) return second;
  if (second === undefined) return first;
  return Promise.allSettled([first, second]).then((answers) => {
    for (const answer of answers) if (answer.status === "rejected") throw answer.reason as Error;
  });
}
