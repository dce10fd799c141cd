import { ServerResponse } from "node:http";
import { guardSocket, hideClosing, showClosing } from "./guarded-socket";
import { nodeMethod } from "./node-response";
import type { ResponseHold } from "./response-hold";
import { ShownHead } from "./shown-head";

/** What Node notes on a response while it sends it. */
interface Sending {
  _hasBody: boolean;
  _headerSent: boolean;
  finished: boolean;
}

function sending(hold: ResponseHold): Sending {
  return hold.res as unknown as Sending;
}

/** The head is on its way, for all that is to be seen. Throws what Node throws where it refuses to make it. */
export function showHead(hold: ResponseHold, ending: unknown[] | undefined): void {
  const { res } = hold;
  if (res instanceof ServerResponse && !res.headersSent) hold.heldAnswer().head = ShownHead.of(res, ending);
}

/** The head was written to the connection, alone or with what follows it. */
export function showSent(hold: ResponseHold): void {
  if (!(hold.res instanceof ServerResponse)) return;
  hold.heldAnswer().headSent ??= sending(hold)._headerSent;
  sending(hold)._headerSent = true;
}

/** Bytes of a body are on their way; false where the response has none (HEAD, 204, 304), and Node drops them. */
export function showWritten(hold: ResponseHold): boolean {
  if (hold.res instanceof ServerResponse && !sending(hold)._hasBody) return false;
  showSent(hold);
  return true;
}

/**
 * The whole answer is on its way, for all that is to be seen. From now on, the connection stays open until it is: a closing server
 * takes a connection whose response is `finished` for an idle one.
 */
export function showEnded(hold: ResponseHold): void {
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

/** Whether Node may still be given some of what was written, by a middleware before us that works on it, as a compression does. */
function isStillSent({ layer: { below } }: ResponseHold): boolean {
  return below.write !== nodeMethod("write") || below.end !== nodeMethod("end");
}

/** Lets Node do what it does by itself in between: it must find the response as it is, with nothing that is only shown. */
export function unshown(hold: ResponseHold, work: () => void): void {
  hideEnd(hold);
  work();
  showEnded(hold);
}

/** Takes back all that was shown, so that Node can send it. Returns what assigns again the status that the handler has assigned since, if it has. */
export function hideShown(hold: ResponseHold): (() => void) | undefined {
  const { res, held } = hold;
  if (held === undefined || !(res instanceof ServerResponse)) return undefined;
  hideEnd(hold);
  const { head } = held;
  held.head = undefined;
  return head?.hide(res);
}

function hideEnd(hold: ResponseHold): void {
  const { res } = hold;
  const held = hold.heldAnswer();
  sending(hold).finished = false;
  if (held.headSent !== undefined) sending(hold)._headerSent = held.headSent;
  held.headSent = undefined;
  if (held.destroyed && !res.closed) res.destroyed = false;
  if (held.closing !== undefined) hideClosing(held.closing);
}
