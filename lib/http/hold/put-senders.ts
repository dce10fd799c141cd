import type { ServerResponse } from "node:http";
import { SENDER_NAMES } from "./response-hold";
import type { Senders } from "./response-hold";

/** Puts these senders on a response. Not every response that a middleware is given has all of them. */
export function putSenders(res: ServerResponse, senders: Senders): void {
  const own = res as unknown as Partial<Senders>;
  for (const name of SENDER_NAMES) if (typeof own[name] === "function") own[name] = senders[name];
}
