import { ServerResponse } from "node:http";
import { putHeldView, showEnded, showSent, showWritten } from "./held-view";
import { bothGates, bytesOf, callbackOf, failWrite, HoldState, holdOf, keepHold } from "./hold-state";
import { putSenders, SENDER_NAMES } from "./hold-state";
import type { ResponseGate, SenderLayer, Senders } from "./hold-state";
import { endListensForFinish, nodeMethod, refuseWrongChunk, sentResponse } from "./node-response";
import { mayEnd, mayPass } from "./release-response";
import { applyWrittenHead, noteLength } from "./response-head";

export type { ResponseGate } from "./hold-state";

/*
 * This room holds responses: not one byte goes to the client before the gate (the request's session) has stored what
 * the response depends on. It is the only room that knows how Node sends a response. Its files are the steps of one:
 *
 * - hold-response puts our senders (`write`, `end`, `writeHead`, `flushHeaders`) before Node's, or before a
 *   middleware's. They pass a call on, or keep it in the state of the hold, which is hold-state.
 * - release-response asks the gate, sends the kept calls once it is passed, and gives the answer up where it fails.
 * - held-view makes the response look to its handler as Node would show it meanwhile: `headersSent`, `writableEnded`,
 *   `destroyed`, …
 * - response-head does the same for the head: what `writeHead` was given, the status, Content-Length, the headers of
 *   HEAD, 204 and 304.
 * - guarded-socket keeps the connection open until a held answer was sent.
 * - node-response tells what differs between the versions of Node.
 */

/**
 * Holds the first byte of `res` until the gate is passed; the handler runs on, and sees its response as Node would show
 * it. `next` is Express's: it gets the error where a save failed and the handler has ended its response already. A
 * response that is held twice has both gates.
 */
export function holdResponse(res: ServerResponse, gate: ResponseGate, next: (error?: unknown) => void): void {
  const earlier = holdOf(res);
  if (earlier !== undefined && earlier.phase !== "lost") {
    earlier.gate = bothGates(earlier.gate, gate);
    earlier.next = next;
    return;
  }
  keepHold(new HoldState(res, hookResponse(res), gate, next));
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

const SHARED_LAYER = Symbol("coatcheck.sharedLayer");

interface HookedPrototype {
  readonly [SHARED_LAYER]?: SenderLayer;
}

/**
 * Puts our hooks before the methods of a response, and returns them. With Express they are on the prototype that its
 * responses share, and pass on the calls of responses that are not held: own methods would cost each response as many
 * properties. A response on which a middleware has put its own senders gets ours on top of those.
 */
function hookResponse(res: ServerResponse): SenderLayer {
  // Read from the prototype, which all responses share: reading from an object that is always the same one costs least.
  const above = (Object.getPrototypeOf(res) ?? {}) as Senders & HookedPrototype;
  const shared = above[SHARED_LAYER] ?? hookSharedPrototype(res);
  if (shared !== undefined && hasSenders(above, shared.hooks) && !hasOwnSender(res)) return shared;
  if (shared === undefined && res instanceof ServerResponse) putHeldView(res);
  const layer = layerOver(res);
  putSenders(res, layer.hooks);
  return layer;
}

function hookSharedPrototype(res: ServerResponse): SenderLayer | undefined {
  const shared = sharedPrototype(res, ServerResponse);
  if (shared === undefined) return undefined;
  const layer = layerOver(shared);
  putHeldView(shared);
  for (const name of SENDER_NAMES) {
    Object.defineProperty(shared, name, { value: layer.hooks[name], writable: true, configurable: true });
  }
  Object.defineProperty(shared, SHARED_LAYER, { value: layer });
  return layer;
}

function layerOver(object: object): SenderLayer {
  const { write, end, writeHead, flushHeaders } = object as Senders;
  return heldSenders({ write, end, writeHead, flushHeaders });
}

function hasSenders(senders: Senders, { write, end, writeHead, flushHeaders }: Senders): boolean {
  return (
    senders.end === end &&
    senders.write === write &&
    senders.writeHead === writeHead &&
    senders.flushHeaders === flushHeaders
  );
}

function hasOwnSender(res: ServerResponse): boolean {
  for (const name of SENDER_NAMES) if (Object.hasOwn(res, name)) return true;
  return false;
}

/**
 * The prototype that all requests, or all responses, of one Express share: the last one before Node's own class.
 * Undefined where the object is not Express's.
 */
export function sharedPrototype(object: object, nodeClass: { readonly prototype: object }): object | undefined {
  let below: object | undefined;
  for (let above = prototypeOf(object); above !== null; above = prototypeOf(above)) {
    if (above === nodeClass.prototype) return below;
    below = above;
  }
  return undefined;
}

function prototypeOf(object: object): object | null {
  return Object.getPrototypeOf(object) as object | null;
}

/** Senders that hold, over the given ones. Calls on a response that this layer does not hold pass through. */
function heldSenders(below: Senders): SenderLayer {
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
