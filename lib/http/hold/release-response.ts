import { ServerResponse } from "node:http";
import { hideShown, showEnded, showHead } from "./held-view";
import { failWrite, putSenders } from "./hold-state";
import type { HoldState } from "./hold-state";
import { whenBoth } from "./hold-state";

const UNAVAILABLE = "Service Unavailable\n";

/**
 * Whether a call goes straight on. The first one asks the gate, and where the gate has to wait, the response is held.
 * `ending` are the arguments of an `end`. Throws what Node throws where it refuses the head: then nothing is sent or
 * held, and the handler may try another head.
 */
export function mayPass(res: ServerResponse, hold: HoldState, ending?: unknown[]): boolean {
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

function holdHead(res: ServerResponse, hold: HoldState, answer: Promise<void>, ending: unknown[] | undefined): void {
  try {
    showHead(hold, ending);
  } catch (refusal) {
    hold.unsent = answer;
    // The next head waits for this answer, and fails with it.
    answer.catch(() => undefined);
    throw refusal;
  }
  hold.unsent = undefined;
  wait(res, hold, "held", answer);
}

/** Whether `end` goes straight on after the headers are gone. The first one asks the gate. */
export function mayEnd(res: ServerResponse, hold: HoldState): boolean {
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

function wait(res: ServerResponse, hold: HoldState, phase: "held" | "ending", answer: Promise<void>): void {
  hold.phase = phase;
  if (hold.ended) showEnded(hold);
  // Not inside the promise, so that what a listener of the handler's throws is an uncaught exception, as it is without
  // us.
  answer.then(
    () => process.nextTick(letGo, res, hold),
    // Express hands an error to its last handler in a later turn. What was thrown so far must get there while the
    // response still shows itself as sent, so that no second error page is made.
    (error: unknown) => setImmediate(lose, res, hold, error),
  );
}

function letGo(res: ServerResponse, hold: HoldState): void {
  const held = hold.heldAnswer();
  const wasHeld = hold.phase === "held";
  hold.phase = "passed";
  const assignStatus = hideShown(hold);
  try {
    if (wasHeld) hold.gate.setHeaders();
    sendHeldCalls(res, hold);
  } catch (error) {
    // Without us, the handler would have thrown it, and so Express would have got it.
    if (res.headersSent) hold.next(error);
    else giveUp(res, hold, error);
    return;
  }
  assignStatus?.();
  if (!held.needsDrain) return;
  held.needsDrain = false;
  if (!hold.ended && !res.destroyed && !res.writableNeedDrain) res.emit("drain");
}

function sendHeldCalls(res: ServerResponse, hold: HoldState): void {
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

function lose(res: ServerResponse, hold: HoldState, error: unknown): void {
  if (hold.phase === "held") {
    giveUp(res, hold, error);
    return;
  }
  drop(res, hold, error);
  breakOff(res);
  hold.gate.onLost(error);
}

/** Nothing was sent, so an error page can be: the app's where the handler has ended, and ours where it still writes. */
function giveUp(res: ServerResponse, hold: HoldState, error: unknown): void {
  drop(res, hold, error);
  // This also takes away the senders of middlewares mounted after us, which take this response for answered. What they
  // still send is dropped.
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

function drop(res: ServerResponse, hold: HoldState, error: unknown): void {
  hold.phase = "lost";
  hold.error = error;
  hideShown(hold);
  const held = hold.heldAnswer();
  // A connection that was to be closed after the answer is closed after the error page.
  if (held.closing !== undefined || held.destroyed) res.shouldKeepAlive = false;
  for (const call of held.calls) if (call.send === hold.layer.below.write) failWrite(call.args, error);
  held.calls = [];
  if (held.endCallback !== undefined) res.removeListener("finish", held.endCallback);
}

/** Removes what the handler set, headers of these names included, so that an error page starts from nothing. */
function clearAnswer(res: ServerResponse, headerNames: readonly string[]): void {
  if (!(res instanceof ServerResponse)) return;
  const { sendDate } = res;
  for (const name of headerNames) res.removeHeader(name);
  // Removing `Date` also turns off the one that Node adds.
  res.sendDate = sendDate;
  res.addTrailers({});
  res.statusCode = 200;
  res.statusMessage = "";
}

/**
 * Sends a bare 503 where the app can't make an error page. What still pipes into the response is unpiped by its
 * `finish`.
 */
function answerUnavailable(res: ServerResponse): void {
  if (!(res instanceof ServerResponse)) {
    // The response is a websocket's. Its handshake is over by now, and nothing can be answered any more.
    breakOff(res);
    return;
  }
  if (res.destroyed) return;
  res.statusCode = 503;
  res.setHeader("Connection", "close");
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  // Node adds none once a handler's own was removed.
  res.setHeader("Content-Length", UNAVAILABLE.length);
  res.end(UNAVAILABLE);
}

/** Breaks the response off: the client must not take what it got for the whole. */
function breakOff(res: ServerResponse): void {
  if (res instanceof ServerResponse) res.destroy();
  else (res as ServerResponse).socket?.destroy();
}
