import type { ServerResponse } from "node:http";
import { HoldState, holdOf, keepHold } from "./hold-state";
import { bothGates } from "./response-gate";
import type { ResponseGate } from "./response-gate";
import { hookResponse } from "./response-hooks";

export type { ResponseGate } from "./response-gate";

/*
 * This room holds responses: not one byte goes to the client before the gate (the request's session) has stored what
 * the response depends on. It is the only room that knows how Node sends a response. Its files are the steps of one:
 *
 * - response-hooks puts our senders (`write`, `end`, `writeHead`, `flushHeaders`) before Node's, or before a
 *   middleware's.
 * - held-senders is what they do: pass a call on, or keep it in the state of the hold, which is hold-state.
 * - release-response asks the gate (response-gate), sends the kept calls once it is passed, and gives the answer up
 *   where it fails.
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
