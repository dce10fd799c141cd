import { ServerResponse } from "node:http";
import { putHeldView } from "./held-view";
import { heldSenders } from "./held-senders";
import { putSenders } from "./put-senders";
import { SENDER_NAMES } from "./response-hold";
import type { SenderLayer, Senders } from "./response-hold";
import { sharedPrototype } from "./shared-prototype";

const SHARED_LAYER = Symbol("coatcheck.sharedLayer");

interface HookedPrototype {
  readonly [SHARED_LAYER]?: SenderLayer;
}

/**
 * Puts our hooks before the methods of a response, and answers which they are. With Express they are on the prototype that its
 * responses share, and pass on whatever is not held: methods of their own would cost each response as many properties. A
 * response on which a middleware has put its own senders gets ours on top of those.
 */
export function hookResponse(res: ServerResponse): SenderLayer {
  // Asked of the prototype, which all responses share: a look at an object that is always the same one costs least.
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
