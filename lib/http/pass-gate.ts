import { ServerResponse } from "node:http";
import { coverWithHeldView, uncoverHeldView } from "./held-view";
import { failWrite } from "./held-call";
import { answerUnavailable, breakOff, clearAnswer } from "./lost-answer";
import type { ResponseGate } from "./response-gate";
import { gateScope, putSenders } from "./response-hold";
import type { ResponseHold } from "./response-hold";

/** Whether a call goes straight on; the first one asks the gate. */
export function mayPass(res: ServerResponse, hold: ResponseHold): boolean {
  if (hold.phase !== "open") return hold.phase === "passed";
  const answer = answerOf(hold, askBeforeHeaders);
  if (answer !== undefined) {
    wait(res, hold, "held", answer);
    return false;
  }
  hold.phase = "passed";
  return true;
}

/** Whether `end` goes straight on, the headers being gone. */
export function mayEnd(res: ServerResponse, hold: ResponseHold): boolean {
  if (hold.endAsked) return true;
  hold.endAsked = true;
  const answer = answerOf(hold, askBeforeEnd);
  if (answer !== undefined) wait(res, hold, "ending", answer);
  return answer === undefined;
}

function answerOf(
  hold: ResponseHold,
  ask: (gate: ResponseGate) => Promise<void> | undefined,
): Promise<void> | undefined {
  try {
    return gateScope.run(hold, ask, hold.gate);
  } catch (error) {
    const failure = error as Error;
    return Promise.reject(failure);
  }
}

function askBeforeHeaders(gate: ResponseGate): Promise<void> | undefined {
  return gate.beforeHeaders();
}

function askBeforeEnd(gate: ResponseGate): Promise<void> | undefined {
  return gate.beforeEnd();
}

function wait(res: ServerResponse, hold: ResponseHold, phase: "held" | "ending", answer: Promise<void>): void {
  hold.phase = phase;
  hold.statusCode = res.statusCode;
  hold.statusMessage = res.statusMessage;
  if (res instanceof ServerResponse) coverWithHeldView(res, hold);
  // Outside the promise, so that what a listener of the handler's throws is an uncaught exception, as it is without us.
  answer.then(
    () => process.nextTick(letGo, res, hold),
    (error: unknown) => process.nextTick(lose, res, hold, error),
  );
}

function letGo(res: ServerResponse, hold: ResponseHold): void {
  uncoverHeldView(res, hold);
  const { statusCode, statusMessage } = res;
  if (hold.phase === "held") {
    res.statusCode = hold.statusCode;
    res.statusMessage = hold.statusMessage;
  }
  hold.phase = "passed";
  try {
    sendHeldCalls(res, hold);
  } catch (error) {
    // Without us, it would have been thrown to the handler, and so to Express.
    if (res.headersSent) hold.next(error);
    else giveUp(res, hold, error);
    return;
  }
  if (statusCode !== hold.statusCode) res.statusCode = statusCode;
  if (statusMessage !== hold.statusMessage) res.statusMessage = statusMessage;
  if (!hold.needsDrain) return;
  hold.needsDrain = false;
  if (!hold.ended && !res.destroyed && !res.writableNeedDrain) res.emit("drain");
}

function sendHeldCalls(res: ServerResponse, hold: ResponseHold): void {
  const calls = hold.calls;
  hold.calls = [];
  hold.waitingBytes = 0;
  for (const [n, call] of calls.entries()) {
    if (call.send === hold.end && !mayEnd(res, hold)) {
      hold.calls = calls.slice(n);
      return;
    }
    Reflect.apply(call.send, res, call.args);
  }
}

function lose(res: ServerResponse, hold: ResponseHold, error: unknown): void {
  uncoverHeldView(res, hold);
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
  putSenders(res, hold);
  clearAnswer(res);
  if (hold.ended) {
    hold.next(error);
    return;
  }
  answerUnavailable(res);
  putSenders(res, hold.hooks);
  hold.gate.onLost(error);
}

function drop(res: ServerResponse, hold: ResponseHold, error: unknown): void {
  hold.phase = "lost";
  hold.error = error;
  for (const call of hold.calls) if (call.send === hold.write) failWrite(call.args, error);
  hold.calls = [];
  if (hold.endCallback !== undefined) res.removeListener("finish", hold.endCallback);
}
