import { ServerResponse } from "node:http";
import { showClosing } from "./guarded-socket";
import type { Sender } from "./node-response";
import { holdOf } from "./response-hold";
import type { ResponseHold } from "./response-hold";
import { unshown } from "./shown-state";

const HEADER_METHODS = ["setHeader", "setHeaders", "appendHeader", "removeHeader"] as const;
const CORK_METHODS = ["cork", "uncork"] as const;
type HeaderMethod = (typeof HEADER_METHODS)[number];
type StateName = "writableEnded" | "writableFinished" | "writableNeedDrain" | "errored";

/**
 * Shows a handler its held response as Node would show it, in what is not noted on the response itself. A response that is not held shows itself.
 */
export function putHeldView(object: object): void {
  const properties: PropertyDescriptorMap = {
    writableEnded: state("writableEnded", ({ ended }) => ended),
    // Its bytes would be with the system, but for one whose turn on the connection has not come.
    writableFinished: state("writableFinished", ({ res }) => res.socket !== null && nodeState("writableFinished", res)),
    writableNeedDrain: state(
      "writableNeedDrain",
      ({ held, ended, res }) => held?.needsDrain === true && !ended && !res.destroyed,
    ),
    errored: state("errored", ({ held, res }) =>
      held?.destroyed === true ? held.destroyedFor : nodeState("errored", res),
    ),
    destroy: method(destroyMethod(methodOf(object, "destroy"))),
    _flush: method(flushMethod(methodOf(object, "_flush"))),
  };
  for (const name of HEADER_METHODS) properties[name] = method(headerMethod(name, methodOf(object, name)));
  for (const name of CORK_METHODS) properties[name] = method(waitingMethod(methodOf(object, name)));
  // Node's other name for `writeHead`, until Node 24.
  if ("writeHeader" in object) properties.writeHeader = method(writeHeaderMethod(methodOf(object, "writeHeader")));
  Object.defineProperties(object, properties);
}

/** Node's own, or what an app has put before it. */
function methodOf(object: object, name: string): Sender {
  return Reflect.get(object, name) as Sender;
}

function method(value: Sender): PropertyDescriptor {
  return { configurable: true, writable: true, value };
}

function state(name: StateName, read: (hold: ResponseHold) => unknown): PropertyDescriptor {
  return {
    configurable: true,
    get(this: ServerResponse): unknown {
      const hold = holdOf(this);
      return hold?.isWaiting === true ? read(hold) : nodeState(name, this);
    },
  };
}

function nodeState(name: StateName, res: ServerResponse): unknown {
  return Reflect.get(ServerResponse.prototype, name, res);
}

/** Before the head is on its way, the names of what is set are noted. */
function headerMethod(name: HeaderMethod, below: Sender): Sender {
  return function (...args) {
    const hold = holdOf(this);
    if (hold?.phase === "open" && name !== "removeHeader") noteNames(hold, args[0]);
    return Reflect.apply(below, this, args);
  };
}

function noteNames(hold: ResponseHold, given: unknown): void {
  const names = (hold.headerNames ??= []);
  if (typeof given === "string") names.push(given);
  else if (given instanceof Map || given instanceof Headers) names.push(...(given.keys() as Iterable<string>));
}

/** Corking waits its turn with the rest. After the end it is Node's own: it uncorks in a later turn what was written before (Node 26). */
function waitingMethod(below: Sender): Sender {
  return function (...args) {
    const hold = holdOf(this);
    if (hold?.phase === "held") hold.heldAnswer().calls.push({ send: below, args });
    else if (hold?.phase === "ending") unshown(hold, () => void Reflect.apply(below, this, args));
    else Reflect.apply(below, this, args);
  };
}

function writeHeaderMethod(below: Sender): Sender {
  return function (...args) {
    return Reflect.apply(holdOf(this)?.layer.hooks.writeHead ?? below, this, args);
  };
}

/** A complete answer is destroyed after it was sent: without us, its bytes would be on their way. */
function destroyMethod(below: Sender): Sender {
  return function (...args) {
    const hold = holdOf(this);
    if (hold?.isWaiting !== true || !hold.ended) return Reflect.apply(below, this, args);
    if (this.destroyed) return this;
    const held = hold.heldAnswer();
    held.calls.push({ send: below, args });
    hold.res.destroyed = held.destroyed = true;
    held.destroyedFor = args[0];
    if (this.socket !== null) {
      held.closing = { socket: this.socket, by: "destroy" };
      showClosing(held.closing);
    }
    return this;
  };
}

/**
 * Node calls this when the responses before this one on the connection (pipelining) are sent, and one that shows itself as ended would be
 * taken for sent, too.
 */
function flushMethod(below: Sender): Sender {
  return function (...args) {
    const hold = holdOf(this);
    if (hold?.isWaiting !== true || !hold.ended) return Reflect.apply(below, this, args);
    unshown(hold, () => void Reflect.apply(below, this, args));
    return undefined;
  };
}
