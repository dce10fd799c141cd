import type { ServerResponse } from "node:http";
import { nodeMethod, SENT_RESPONSE } from "./node-response";
import type { Sender } from "./node-response";
import { gateScope, HOLD } from "./response-hold";
import type { HeldResponse, ResponseHold } from "./response-hold";

/** Shows a handler its held response as Node would show it: on its way, or ended, although nothing was sent. */
export function coverWithHeldView(res: ServerResponse, hold: ResponseHold): void {
  hold.covered = {};
  for (const [name, property] of VIEW) {
    hold.covered[name] = Object.getOwnPropertyDescriptor(res, name);
    Object.defineProperty(res, name, property);
  }
}

export function uncoverHeldView(res: ServerResponse, hold: ResponseHold): void {
  if (hold.covered === undefined) return;
  for (const [name] of VIEW) {
    Reflect.deleteProperty(res, name);
    const own = hold.covered[name];
    if (own !== undefined) Object.defineProperty(res, name, own);
  }
  hold.covered = undefined;
}

// `finished`, which is deprecated, stays as it is: by it a closing server tells idle connections, and would cut off a held one.
const VIEW: [string, PropertyDescriptor][] = [
  property("headersSent", () => true),
  property("writableEnded", (res) => res[HOLD].ended),
  property("writableNeedDrain", (res) => res[HOLD].needsDrain && !res[HOLD].ended && !res.destroyed),
  headerMethod("setHeader"),
  headerMethod("setHeaders"),
  headerMethod("appendHeader"),
  headerMethod("removeHeader"),
  waitingMethod("cork"),
  waitingMethod("uncork"),
];

function property(name: string, read: (res: HeldResponse) => boolean): [string, PropertyDescriptor] {
  return [
    name,
    {
      configurable: true,
      get(this: HeldResponse) {
        return read(this);
      },
    },
  ];
}

function method(
  name: string,
  value: (this: HeldResponse, ...args: unknown[]) => unknown,
): [string, PropertyDescriptor] {
  return [name, { configurable: true, writable: true, value }];
}

/** For the gate, sets headers; for anybody else it is too late, and Node itself says so. */
function headerMethod(name: "setHeader" | "setHeaders" | "appendHeader" | "removeHeader") {
  return method(name, function (this, ...args) {
    const hold = this[HOLD];
    const isGate = hold.phase === "held" && gateScope.getStore() === hold;
    return isGate
      ? Reflect.apply(uncovered(this, name), this, args)
      : Reflect.apply(nodeMethod(name), SENT_RESPONSE, args);
  });
}

function waitingMethod(name: "cork" | "uncork") {
  return method(name, function (this, ...args) {
    this[HOLD].calls.push({ send: uncovered(this, name), args });
  });
}

function uncovered(res: HeldResponse, name: string): Sender {
  return (res[HOLD].covered?.[name]?.value ?? Reflect.get(Object.getPrototypeOf(res) as object, name)) as Sender;
}
