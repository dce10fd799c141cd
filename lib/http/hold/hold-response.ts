import type { ServerResponse } from "node:http";
import { bothGates } from "./response-gate";
import type { ResponseGate } from "./response-gate";
import { holdOf, keepHold, ResponseHold } from "./response-hold";
import { hookResponse } from "./response-hooks";

export type { ResponseGate } from "./response-gate";

/**
 * Holds the first byte of `res` until the gate is passed; the handler runs on, and sees its response as Node would show it.
 * `next` is Express's: it gets the error where a save failed and the handler has ended its response already.
 * A response that is held twice has both gates.
 */
export function holdResponse(res: ServerResponse, gate: ResponseGate, next: (error?: unknown) => void): void {
  const earlier = holdOf(res);
  if (earlier !== undefined && earlier.phase !== "lost") {
    earlier.gate = bothGates(earlier.gate, gate);
    earlier.next = next;
    return;
  }
  keepHold(new ResponseHold(res, hookResponse(res), gate, next));
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
