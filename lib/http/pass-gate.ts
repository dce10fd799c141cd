import type { ServerResponse } from "node:http";
import { failWrite } from "./held-call";
import { answerUnavailable, breakOff, clearAnswer } from "./lost-answer";
import type { ResponseHold } from "./response-hold";
import { putSenders } from "./put-senders";

/** Whether a call goes straight on; the first one asks the gate. */
export function mayPass(res: ServerResponse, hold: ResponseHold): boolean {
  if (hold.phase !== "open") return hold.phase === "passed";
  try {
    const answer = hold.gate.beforeHeaders();
    if (answer === undefined) {
      hold.gate.setHeaders();
      hold.phase = "passed";
      return true;
    }
    wait(res, hold, "held", answer);
  } catch (error) {
    wait(res, hold, "held", failed(error));
  }
  return false;
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
  hold.heldAnswer(res);
  // Outside the promise, so that what a listener of the handler's throws is an uncaught exception, as it is without us.
  answer.then(
    () => process.nextTick(letGo, res, hold),
    (error: unknown) => process.nextTick(lose, res, hold, error),
  );
}

function letGo(res: ServerResponse, hold: ResponseHold): void {
  const held = hold.heldAnswer(res);
  const { statusCode, statusMessage } = res;
  const wasHeld = hold.phase === "held";
  hold.phase = "passed";
  try {
    if (wasHeld) {
      if (statusCode !== held.statusCode) res.statusCode = held.statusCode;
      if (statusMessage !== held.statusMessage) res.statusMessage = held.statusMessage;
      hold.gate.setHeaders();
    }
    sendHeldCalls(res, hold);
  } catch (error) {
    // Without us, it would have been thrown to the handler, and so to Express.
    if (res.headersSent) hold.next(error);
    else giveUp(res, hold, error);
    return;
  }
  if (statusCode !== held.statusCode) res.statusCode = statusCode;
  if (statusMessage !== held.statusMessage) res.statusMessage = statusMessage;
  if (!held.needsDrain) return;
  held.needsDrain = false;
  if (!hold.ended && !res.destroyed && !res.writableNeedDrain) res.emit("drain");
}

function sendHeldCalls(res: ServerResponse, hold: ResponseHold): void {
  const held = hold.heldAnswer(res);
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
  const held = hold.heldAnswer(res);
  for (const call of held.calls) if (call.send === hold.layer.below.write) failWrite(call.args, error);
  held.calls = [];
  if (held.endCallback !== undefined) res.removeListener("finish", held.endCallback);
}
