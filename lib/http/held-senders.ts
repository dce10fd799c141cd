import type { ServerResponse } from "node:http";
import { bytesOf, callbackOf, failWrite } from "./held-call";
import { endListensForFinish, nodeMethod, refuseWrongChunk, sentResponse } from "./node-response";
import { mayEnd, mayPass } from "./pass-gate";
import { holdOf } from "./response-hold";
import type { ResponseHold, SenderLayer, Senders } from "./response-hold";
import { applyWrittenHead } from "./written-head";

/** Senders that hold, over the given ones. A response that another layer holds, or none, passes through. */
export function heldSenders(below: Senders): SenderLayer {
  const layer: SenderLayer = {
    below,
    hooks: {
      write(this: ServerResponse, ...args) {
        const hold = holdOf(this);
        return hold?.layer === layer ? write(this, hold, args) : Reflect.apply(below.write, this, args);
      },
      end(this: ServerResponse, ...args) {
        const hold = holdOf(this);
        return hold?.layer === layer ? end(this, hold, args) : Reflect.apply(below.end, this, args);
      },
      writeHead(this: ServerResponse, ...args) {
        const hold = holdOf(this);
        return hold?.layer === layer ? writeHead(this, hold, args) : Reflect.apply(below.writeHead, this, args);
      },
      flushHeaders(this: ServerResponse) {
        const hold = holdOf(this);
        if (hold?.layer === layer) flushHeaders(this, hold);
        else Reflect.apply(below.flushHeaders, this, []);
      },
    },
  };
  return layer;
}

function write(res: ServerResponse, hold: ResponseHold, args: unknown[]): unknown {
  if (hold.phase !== "passed") refuseWrongChunk(args[0]);
  if (mayPass(res, hold)) return Reflect.apply(hold.layer.below.write, res, args);
  if (hold.phase === "lost") {
    failWrite(args, hold.error);
    return false;
  }
  const held = hold.heldAnswer(res);
  held.calls.push({ send: hold.layer.below.write, args });
  // What is below answers false for as much as this, too, and so gives the `drain`, also where a middleware has taken the
  // listeners of it for a stream of its own.
  held.waitingBytes += bytesOf(args);
  held.needsDrain ||= held.waitingBytes >= res.writableHighWaterMark;
  return !held.needsDrain && !hold.ended;
}

function end(res: ServerResponse, hold: ResponseHold, args: unknown[]): unknown {
  if (args[0] && typeof args[0] !== "function") refuseWrongChunk(args[0]);
  const isFirst = !hold.ended;
  hold.ended = true;
  if (hold.phase === "open") hold.endAsked = true;
  if (mayPass(res, hold) && mayEnd(res, hold)) return Reflect.apply(hold.layer.below.end, res, args);
  if (hold.phase !== "lost") {
    const kept = isFirst ? keepEndCallback(res, hold, args) : args;
    hold.heldAnswer(res).calls.push({ send: hold.layer.below.end, args: kept });
  }
  return res;
}

function writeHead(res: ServerResponse, hold: ResponseHold, args: unknown[]): unknown {
  switch (hold.phase) {
    case "passed":
      return Reflect.apply(hold.layer.below.writeHead, res, args);
    case "held":
    case "ending":
      return Reflect.apply(nodeMethod("writeHead"), sentResponse(), args);
    case "lost":
      // A middleware below may still be on its way to send our 503.
      return res.headersSent ? res : Reflect.apply(hold.layer.below.writeHead, res, [res.statusCode]);
  }
  const rest = applyWrittenHead(res, args);
  if (mayPass(res, hold)) return Reflect.apply(hold.layer.below.writeHead, res, rest);
  hold.heldAnswer(res).calls.push({ send: hold.layer.below.writeHead, args: rest });
  return res;
}

function flushHeaders(res: ServerResponse, hold: ResponseHold): void {
  const { below } = hold.layer;
  if (mayPass(res, hold)) Reflect.apply(below.flushHeaders, res, []);
  else if (hold.phase !== "lost") hold.heldAnswer(res).calls.push({ send: below.flushHeaders, args: [] });
}

/**
 * Node 20 and 22 make the callback of `end` a listener of `finish`, so its turn among the others is decided now. Node 24 keeps
 * it apart, and a middleware below us may do something else with it: those get it with the call.
 */
function keepEndCallback(res: ServerResponse, hold: ResponseHold, args: unknown[]): unknown[] {
  const callback = callbackOf(args);
  if (callback === undefined || hold.layer.below.end !== nodeMethod("end") || !endListensForFinish()) return args;
  hold.heldAnswer(res).endCallback = callback;
  res.once("finish", callback);
  return args.filter((arg) => arg !== callback);
}
