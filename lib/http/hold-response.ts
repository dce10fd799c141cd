import type { ServerResponse } from "node:http";
import { bytesOf, callbackOf, failWrite } from "./held-call";
import { endListensForFinish, nodeMethod, refuseWrongChunk, SENT_RESPONSE } from "./node-response";
import { mayEnd, mayPass } from "./pass-gate";
import { bothGates } from "./response-gate";
import type { ResponseGate } from "./response-gate";
import { HOLD, holdOf, putSenders, ResponseHold } from "./response-hold";
import type { HeldResponse, Senders } from "./response-hold";
import { applyWrittenHead } from "./written-head";

export type { ResponseGate } from "./response-gate";

/**
 * Holds the first byte of `res` until the gate is passed; the handler runs on, and sees its response as Node would show it.
 * `next` is Express's: it gets the error where a save failed and the handler has ended its response already.
 * A response that is held twice has both gates.
 */
export function holdResponse(res: ServerResponse, gate: ResponseGate, next: (error?: unknown) => void): void {
  const earlier = holdOf(res);
  if (earlier !== undefined && earlier.phase !== "lost") {
    earlier.gate = bothGates(earlier.gate, gate);
    earlier.next = next;
    return;
  }
  (res as HeldResponse)[HOLD] = new ResponseHold(res, HOOKS, gate, next);
  putSenders(res, HOOKS);
}

/** Whether the headers are gone, or past the gate on their way, so that no cookie can be added. */
export function headersGone(res: ServerResponse): boolean {
  switch (holdOf(res)?.phase) {
    case "held":
      return false;
    case "passed":
    case "ending":
      return true;
    default:
      // Not every response that a middleware is given has `headersSent`.
      return (res as Partial<ServerResponse>).headersSent === true;
  }
}

function write(this: HeldResponse, ...args: unknown[]): unknown {
  const hold = this[HOLD];
  if (hold.phase !== "passed") refuseWrongChunk(args[0]);
  if (mayPass(this, hold)) return Reflect.apply(hold.write, this, args);
  if (hold.phase === "lost") {
    failWrite(args, hold.error);
    return false;
  }
  hold.calls.push({ send: hold.write, args });
  // What is below answers false for as much as this, too, and so gives the `drain`, also where a middleware has taken the
  // listeners of it for a stream of its own.
  hold.waitingBytes += bytesOf(args);
  hold.needsDrain ||= hold.waitingBytes >= this.writableHighWaterMark;
  return !hold.needsDrain && !hold.ended;
}

function end(this: HeldResponse, ...args: unknown[]): unknown {
  const hold = this[HOLD];
  if (args[0] && typeof args[0] !== "function") refuseWrongChunk(args[0]);
  const isFirst = !hold.ended;
  hold.ended = true;
  if (hold.phase === "open") hold.endAsked = true;
  if (mayPass(this, hold) && mayEnd(this, hold)) return Reflect.apply(hold.end, this, args);
  if (hold.phase !== "lost") {
    hold.calls.push({ send: hold.end, args: isFirst ? keepEndCallback(this, hold, args) : args });
  }
  return this;
}

function writeHead(this: HeldResponse, ...args: unknown[]): unknown {
  const hold = this[HOLD];
  switch (hold.phase) {
    case "passed":
      return Reflect.apply(hold.writeHead, this, args);
    case "held":
    case "ending":
      return Reflect.apply(nodeMethod("writeHead"), SENT_RESPONSE, args);
    case "lost":
      // A middleware below may still be on its way to send our 503.
      return headersGone(this) ? this : Reflect.apply(hold.writeHead, this, [this.statusCode]);
  }
  const rest = applyWrittenHead(this, args);
  if (mayPass(this, hold)) return Reflect.apply(hold.writeHead, this, rest);
  hold.calls.push({ send: hold.writeHead, args: rest });
  return this;
}

function flushHeaders(this: HeldResponse): void {
  const hold = this[HOLD];
  if (mayPass(this, hold)) Reflect.apply(hold.flushHeaders, this, []);
  else if (hold.phase !== "lost") hold.calls.push({ send: hold.flushHeaders, args: [] });
}

/**
 * Node 20 and 22 make the callback of `end` a listener of `finish`, so its turn among the others is decided now. Node 24 keeps
 * it apart, and a middleware below us may do something else with it: those get it with the call.
 */
function keepEndCallback(res: ServerResponse, hold: ResponseHold, args: unknown[]): unknown[] {
  const callback = callbackOf(args);
  if (callback === undefined || !endListensForFinish || hold.end !== nodeMethod("end")) return args;
  hold.endCallback = callback;
  res.once("finish", callback);
  return args.filter((arg) => arg !== callback);
}
const endListensForFinish =
  trialResponse()
    .end(() => undefined)
    .listenerCount("finish") > 0;

const HOOKS = { write, end, writeHead, flushHeaders } as Senders;
