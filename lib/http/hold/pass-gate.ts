import type { ServerResponse } from "node:http";
import { failWrite } from "./held-call";
import { answerUnavailable, breakOff, clearAnswer } from "./lost-answer";
import { whenBoth } from "./response-gate";
import type { ResponseHold } from "./response-hold";
import { putSenders } from "./put-senders";
import { hideShown, showEnded, showHead } from "./shown-state";

/**
 * Whether a call goes straight on; the first one asks the gate. `ending` are the arguments of an `end`. Throws what Node throws where it
 * refuses the head: then nothing is sent or held, and the handler may try another.
 */
export function mayPass(res: ServerResponse, hold: ResponseHold, ending?: unknown[]): boolean {
  if (hold.phase !== "open") return hold.phase === "passed";
  let answer: Promise<void> | undefined;
  try {
    answer = whenBoth(hold.unsent, hold.gate.beforeHeaders());
    if (answer === undefined) {
      hold.gate.setHeaders();
      hold.phase = "passed";
      return true;
    }
  } catch (error) {
    answer = whenBoth(hold.unsent, failed(error));
  }
  holdHead(res, hold, answer, ending);
  return false;
}

function holdHead(res: ServerResponse, hold: ResponseHold, answer: Promise<void>, ending: unknown[] | undefined): void {
  try {
    showHead(hold, ending);
  } catch (refusal) {
    hold.unsent = answer;
    // The head that comes in the place of this one waits for it, and fails with it.
    answer.catch(() => undefined);
    throw refusal;
  }
  hold.unsent = undefined;
  wait(res, hold, "held", answer);
}

/** Whether `end` goes straight on, the headers being gone. */
export function mayEnd(res: ServerResponse, hold: ResponseHold): boolean {
  if (hold.endAsked) return true;
  hold.endAsked = true;
  try {
    const answer = hold.gate.beforeEnd();
    if (answer === undefined) return true;
    wait(res, hold, "ending", answer);
  } catch (error) {
    wait(res, hold, "ending", failed(error));
  }
  return false;
}

async function failed(error: unknown): Promise<never> {
  throw error;
}

function wait(res: ServerResponse, hold: ResponseHold, phase: "held" | "ending", answer: Promise<void>): void {
  hold.phase = phase;
  if (hold.ended) showEnded(hold);
  // Outside the promise, so that what a listener of the handler's throws is an uncaught exception, as it is without us.
  answer.then(
    () => process.nextTick(letGo, res, hold),
    // Express hands an error to its last handler in a turn of its own: what has been thrown so far gets there while the response still shows
    // itself as sent, so that no second error page is made.
    (error: unknown) => setImmediate(lose, res, hold, error),
  );
}

function letGo(res: ServerResponse, hold: ResponseHold): void {
  const held = hold.heldAnswer();
  const wasHeld = hold.phase === "held";
  hold.phase = "passed";
  const assignStatus = hideShown(hold);
  try {
    if (wasHeld) hold.gate.setHeaders();
    sendHeldCalls(res, hold);
  } catch (error) {
    // Without us, it would have been thrown to the handler, and so to Express.
    if (res.headersSent) hold.next(error);
    else giveUp(res, hold, error);
    return;
  }
  assignStatus?.();
  if (!held.needsDrain) return;
  held.needsDrain = false;
  if (!hold.ended && !res.destroyed && !res.writableNeedDrain) res.emit("drain");
}

function sendHeldCalls(res: ServerResponse, hold: ResponseHold): void {
  const held = hold.heldAnswer();
  const { calls } = held;
  held.calls = [];
  held.waitingBytes = 0;
  for (const [n, call] of calls.entries()) {
    if (call.send === hold.layer.below.end && !mayEnd(res, hold)) {
      held.calls = calls.slice(n);
      return;
    }
    Reflect.apply(call.send, res, call.args);
  }
}

function lose(res: ServerResponse, hold: ResponseHold, error: unknown): void {
  if (hold.phase === "held") {
    giveUp(res, hold, error);
    return;
  }
  drop(res, hold, error);
  breakOff(res);
  hold.gate.onLost(error);
}

/** Nothing was sent yet: an error page can be, by the app where the handler has ended, and by us where it still writes. */
function giveUp(res: ServerResponse, hold: ResponseHold, error: unknown): void {
  drop(res, hold, error);
  // Also those of middlewares mounted after us, which take this response for answered. What they still send is dropped.
  putSenders(res, hold.layer.below);
  clearAnswer(res, hold.headerNames ?? []);
  hold.gate.setHeadersOfFailure(error);
  if (hold.ended) {
    hold.next(error);
    return;
  }
  answerUnavailable(res);
  putSenders(res, hold.layer.hooks);
  hold.gate.onLost(error);
}

function drop(res: ServerResponse, hold: ResponseHold, error: unknown): void {
  hold.phase = "lost";
  hold.error = error;
  hideShown(hold);
  const held = hold.heldAnswer();
  // Whoever wanted the connection closed after the answer gets that after the error page.
  if (held.closing !== undefined || held.destroyed) res.shouldKeepAlive = false;
  for (const call of held.calls) if (call.send === hold.layer.below.write) failWrite(call.args, error);
  held.calls = [];
  if (held.endCallback !== undefined) res.removeListener("finish", held.endCallback);
}
