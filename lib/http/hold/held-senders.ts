import { ServerResponse } from "node:http";
import { showEnded, showSent, showWritten } from "./held-view";
import { bytesOf, callbackOf, failWrite, holdOf } from "./hold-state";
import type { HoldState, SenderLayer, Senders } from "./hold-state";
import { endListensForFinish, nodeMethod, refuseWrongChunk, sentResponse } from "./node-response";
import { mayEnd, mayPass } from "./release-response";
import { applyWrittenHead, noteLength } from "./response-head";

/** Senders that hold, over the given ones. Calls on a response that this layer does not hold pass through. */
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

function write(res: ServerResponse, hold: HoldState, args: unknown[]): unknown {
  if (hold.phase !== "passed") refuseWrongChunk(args[0]);
  if (hold.phase === "open") runOutermostHead(res, hold);
  if (mayPass(res, hold)) return Reflect.apply(hold.layer.below.write, res, args);
  if (hold.phase === "lost") {
    failWrite(args, hold.error);
    return false;
  }
  const held = hold.heldAnswer();
  held.calls.push({ send: hold.layer.below.write, args });
  if (!showWritten(hold)) return true;
  // A sender below returns false for this many bytes, too, and so `drain` comes, even where a middleware has taken the
  // listeners of `drain` for a stream of its own.
  held.waitingBytes += bytesOf(args);
  held.needsDrain ||= held.waitingBytes >= res.writableHighWaterMark;
  return !held.needsDrain && !hold.ended;
}

function end(res: ServerResponse, hold: HoldState, args: unknown[]): unknown {
  if (args[0] && typeof args[0] !== "function") refuseWrongChunk(args[0]);
  const isOpen = hold.phase === "open";
  if (isOpen) runOutermostHead(res, hold, args);
  const passes = mayPass(res, hold, args);
  const isFirst = !hold.ended;
  hold.ended = true;
  if (isOpen) hold.endAsked = true;
  if (passes && mayEnd(res, hold)) return Reflect.apply(hold.layer.below.end, res, args);
  if (hold.phase === "lost") return res;
  const kept = isFirst ? keepEndCallback(res, hold, args) : args;
  hold.heldAnswer().calls.push({ send: hold.layer.below.end, args: kept });
  showEnded(hold);
  return res;
}

function writeHead(res: ServerResponse, hold: HoldState, args: unknown[]): unknown {
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
  const { below } = hold.layer;
  const rest = applyWrittenHead(res, args);
  // A middleware before us makes the head when it is given the call that sends it: a compression looks at the length.
  if (hold.runsHead && below.writeHead !== nodeMethod("writeHead")) return res;
  if (mayPass(res, hold)) return Reflect.apply(below.writeHead, res, rest);
  if (!hold.runsHead) hold.heldAnswer().calls.push({ send: below.writeHead, args: rest });
  return res;
}

function flushHeaders(res: ServerResponse, hold: HoldState): void {
  const { below } = hold.layer;
  if (hold.phase === "open") runOutermostHead(res, hold);
  if (mayPass(res, hold)) Reflect.apply(below.flushHeaders, res, []);
  else if (hold.phase !== "lost") {
    hold.heldAnswer().calls.push({ send: below.flushHeaders, args: [] });
    showSent(hold);
  }
}

/**
 * Node's own `write`, `end` and `flushHeaders` first run the outermost `writeHead`. A middleware after us may have put
 * its own there, to set headers, to choose a compression, or to change the session. So it is run when they are called,
 * and not again when the held calls are sent. `ending` are the arguments of an `end`.
 */
function runOutermostHead(res: ServerResponse, hold: HoldState, ending?: unknown[]): void {
  const { hooks } = hold.layer;
  if ((res.writeHead as unknown) === hooks.writeHead || !(res instanceof ServerResponse)) return;
  if (ending !== undefined) noteLength(res, ending);
  hold.runsHead = true;
  try {
    (res as ServerResponse & { _implicitHeader(): void })._implicitHeader();
  } finally {
    hold.runsHead = false;
  }
  Object.assign(res, { writeHead: hooks.writeHead });
}

/**
 * Node 20 and 22 make the callback of `end` a listener of `finish`, so its place among the other listeners is decided
 * now. Node 24 keeps it apart, and a middleware below us may do something else with it: those get it with the call.
 */
function keepEndCallback(res: ServerResponse, hold: HoldState, args: unknown[]): unknown[] {
  const callback = callbackOf(args);
  if (callback === undefined || hold.layer.below.end !== nodeMethod("end") || !endListensForFinish()) return args;
  hold.heldAnswer().endCallback = callback;
  res.once("finish", callback);
  return args.filter((arg) => arg !== callback);
}
