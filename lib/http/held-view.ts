import { ServerResponse } from "node:http";
import { nodeMethod, sentResponse } from "./node-response";
import type { Sender } from "./node-response";
import { holdOf } from "./response-hold";
import type { ResponseHold } from "./response-hold";

const HEADER_METHODS = ["setHeader", "setHeaders", "appendHeader", "removeHeader"] as const;
const CORK_METHODS = ["cork", "uncork"] as const;
type HeaderMethod = (typeof HEADER_METHODS)[number];
type CorkMethod = (typeof CORK_METHODS)[number];
type StateName = "headersSent" | "writableEnded" | "writableNeedDrain";

/**
 * Shows a handler its held response as Node would show it: on its way, or ended, although nothing was sent. A response that is not held
 * shows itself. `finished`, which is deprecated, stays as it is: by it a closing server tells idle connections, and
 * would cut off a held one.
 */
export function putHeldView(object: object): void {
  const properties: PropertyDescriptorMap = {
    headersSent: state("headersSent", () => true),
    writableEnded: state("writableEnded", (_res, hold) => hold.ended),
    writableNeedDrain: state(
      "writableNeedDrain",
      (res, { held, ended }) => held?.needsDrain === true && !ended && !res.destroyed,
    ),
  };
  for (const name of HEADER_METHODS) properties[name] = headerMethod(name, methodOf(object, name));
  for (const name of CORK_METHODS) properties[name] = waitingMethod(methodOf(object, name));
  Object.defineProperties(object, properties);
}

/** Node's own, or what an app has put before it. */
function methodOf(object: object, name: HeaderMethod | CorkMethod): Sender {
  return Reflect.get(object, name) as Sender;
}

function state(name: StateName, read: (res: ServerResponse, hold: ResponseHold) => boolean): PropertyDescriptor {
  return {
    configurable: true,
    get(this: ServerResponse) {
      const hold = holdOf(this);
      return hold?.isWaiting === true ? read(this, hold) : Reflect.get(ServerResponse.prototype, name, this);
    },
  };
}

/** While the response is held it is too late to set headers, and Node itself says so. Before that, their names are noted. */
function headerMethod(name: HeaderMethod, below: Sender): PropertyDescriptor {
  return method(function (this: ServerResponse, ...args: unknown[]) {
    const hold = holdOf(this);
    if (hold !== undefined) {
      if (hold.isWaiting) return Reflect.apply(nodeMethod(name), sentResponse(), args);
      if (hold.phase === "open") noteNames(hold, name, args[0]);
    }
    return Reflect.apply(below, this, args);
  });
}

function noteNames(hold: ResponseHold, method: HeaderMethod, given: unknown): void {
  if (method === "removeHeader") return;
  const names = (hold.headerNames ??= []);
  if (typeof given === "string") names.push(given);
  else if (given instanceof Map || given instanceof Headers) names.push(...(given.keys() as Iterable<string>));
}

/** Corking waits its turn with the rest. */
function waitingMethod(below: Sender): PropertyDescriptor {
  return method(function (this: ServerResponse, ...args: unknown[]) {
    const hold = holdOf(this);
    if (hold?.isWaiting !== true) return Reflect.apply(below, this, args);
    hold.heldAnswer(this).calls.push({ send: below, args });
    return undefined;
  });
}

function method(value: (this: ServerResponse, ...args: unknown[]) => unknown): PropertyDescriptor {
  return { configurable: true, writable: true, value };
}
