import { ServerResponse } from "node:http";
import { guardSocket, hideClosing, showClosing } from "./guarded-socket";
import { holdOf } from "./hold-state";
import type { HoldState } from "./hold-state";
import { nodeMethod } from "./node-response";
import type { Sender } from "./node-response";
import { ShownHead } from "./response-head";

const HEADER_METHODS = ["setHeader", "setHeaders", "appendHeader", "removeHeader"] as const;
const CORK_METHODS = ["cork", "uncork"] as const;
type HeaderMethod = (typeof HEADER_METHODS)[number];
type StateName = "writableEnded" | "writableFinished" | "writableNeedDrain" | "errored";

/**
 * Makes a held response look to its handler as Node would show it, in what Node does not keep in properties of the
 * response. A response that is not held shows itself.
 */
export function putHeldView(object: object): void {
  const properties: PropertyDescriptorMap = {
    writableEnded: state("writableEnded", ({ ended }) => ended),
    // Its bytes would be with the system, unless another response comes before it on the connection.
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

/** Node's own method, or what an app has put in its place. */
function methodOf(object: object, name: string): Sender {
  return Reflect.get(object, name) as Sender;
}

function method(value: Sender): PropertyDescriptor {
  return { configurable: true, writable: true, value };
}

function state(name: StateName, read: (hold: HoldState) => unknown): PropertyDescriptor {
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

/** Notes the names of the headers that are set before the head is on its way. */
function headerMethod(name: HeaderMethod, below: Sender): Sender {
  return function (...args) {
    const hold = holdOf(this);
    if (hold?.phase === "open" && name !== "removeHeader") noteNames(hold, args[0]);
    return Reflect.apply(below, this, args);
  };
}

function noteNames(hold: HoldState, given: unknown): void {
  const names = (hold.headerNames ??= []);
  if (typeof given === "string") names.push(given);
  else if (given instanceof Map || given instanceof Headers) names.push(...(given.keys() as Iterable<string>));
}

/**
 * Corking waits with the other calls. After the end it is Node's own: Node 26 uncorks in a later turn what was written
 * before.
 */
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

/** A complete answer is destroyed only after it was sent: without us, its bytes would be on their way. */
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
 * Node calls `_flush` when the responses before this one on the connection (pipelining) are sent. It would take a
 * response that shows itself as ended for sent, too.
 */
function flushMethod(below: Sender): Sender {
  return function (...args) {
    const hold = holdOf(this);
    if (hold?.isWaiting !== true || !hold.ended) return Reflect.apply(below, this, args);
    unshown(hold, () => void Reflect.apply(below, this, args));
    return undefined;
  };
}

/** The properties in which Node keeps how far a response is sent. */
interface Sending {
  _hasBody: boolean;
  _headerSent: boolean;
  finished: boolean;
}

function sending(hold: HoldState): Sending {
  return hold.res as unknown as Sending;
}

/** Makes the head look sent. Throws what Node throws where it refuses to make it. */
export function showHead(hold: HoldState, ending: unknown[] | undefined): void {
  const { res } = hold;
  if (res instanceof ServerResponse && !res.headersSent) hold.heldAnswer().head = ShownHead.of(res, ending);
}

/** Makes the head look written to the connection, alone or with what follows it. */
export function showSent(hold: HoldState): void {
  if (!(hold.res instanceof ServerResponse)) return;
  hold.heldAnswer().headSent ??= sending(hold)._headerSent;
  sending(hold)._headerSent = true;
}

/**
 * Makes bytes of the body look written. Returns false where the response has no body (HEAD, 204, 304), and Node drops
 * them.
 */
export function showWritten(hold: HoldState): boolean {
  if (hold.res instanceof ServerResponse && !sending(hold)._hasBody) return false;
  showSent(hold);
  return true;
}

/**
 * Makes the whole answer look sent. From now on, the connection stays open until it is: a server that closes takes a
 * connection whose response is `finished` for an idle one.
 */
export function showEnded(hold: HoldState): void {
  const { res } = hold;
  if (!(res instanceof ServerResponse)) return;
  if (res.socket !== null) guardSocket(res.socket);
  if (hold.phase === "ending" && isStillSent(hold)) return;
  showSent(hold);
  sending(hold).finished = true;
  const { destroyed, closing } = hold.heldAnswer();
  if (destroyed) res.destroyed = true;
  if (closing !== undefined) showClosing(closing);
}

/** Whether a middleware before us, such as a compression, may still hand to Node some of what was written. */
function isStillSent({ layer: { below } }: HoldState): boolean {
  return below.write !== nodeMethod("write") || below.end !== nodeMethod("end");
}

/** Runs work of Node's own, which must find the response as it is, and not as it is shown. */
export function unshown(hold: HoldState, work: () => void): void {
  hideEnd(hold);
  work();
  showEnded(hold);
}

/** Takes back all that was shown, so that Node can send it. Returns what `ShownHead.hide` returns. */
export function hideShown(hold: HoldState): (() => void) | undefined {
  const { res, held } = hold;
  if (held === undefined || !(res instanceof ServerResponse)) return undefined;
  hideEnd(hold);
  const { head } = held;
  held.head = undefined;
  return head?.hide(res);
}

function hideEnd(hold: HoldState): void {
  const { res } = hold;
  const held = hold.heldAnswer();
  sending(hold).finished = false;
  if (held.headSent !== undefined) sending(hold)._headerSent = held.headSent;
  held.headSent = undefined;
  if (held.destroyed && !res.closed) res.destroyed = false;
  if (held.closing !== undefined) hideClosing(held.closing);
}
