import { ServerResponse } from "node:http";
import { heldSenders } from "./held-senders";
import { putHeldView } from "./held-view";
import { putSenders, SENDER_NAMES } from "./hold-state";
import type { SenderLayer, Senders } from "./hold-state";

const SHARED_LAYER = Symbol("coatcheck.sharedLayer");

interface HookedPrototype {
  readonly [SHARED_LAYER]?: SenderLayer;
}

/**
 * Puts our hooks before the methods of a response, and returns them. With Express they are on the prototype that its
 * responses share, and pass on the calls of responses that are not held: own methods would cost each response as many
 * properties. A response on which a middleware has put its own senders gets ours on top of those.
 */
export function hookResponse(res: ServerResponse): SenderLayer {
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
