import { ServerResponse } from "node:http";
import type { IncomingMessage } from "node:http";

/**
 * Whether a request becomes a websocket, so that its response is never ended: what stands in for one (in `ws`'s own example `{}`, Engine.IO's
 * `WebSocketResponse`, the response without a connection that express-ws makes) carries headers at most, and those only until the handshake is sent.
 */
export function isHandshake(req: IncomingMessage, res: ServerResponse): boolean {
  if (!("on" in res)) return true;
  return isUpgrade(req) && !(res instanceof ServerResponse && res.socket !== null);
}

/** Where the handshake of a request stands: whether its response can still be given headers. */
export class Handshake {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  /** What the connection had sent before. */
  readonly #sentBefore: number;

  constructor(req: IncomingMessage, res: ServerResponse) {
    this.#req = req;
    this.#res = res;
    this.#sentBefore = req.socket.bytesWritten;
  }

  get takesHeaders(): boolean {
    // The stand-in of express-ws is one of Node's, but goes nowhere.
    if (this.#res instanceof ServerResponse) return false;
    const { setHeader } = this.#res as Partial<ServerResponse>;
    return typeof setHeader === "function" && this.#req.socket.bytesWritten === this.#sentBefore;
  }
}

/** Node sets it on a request that it hands to a listener of `upgrade`. */
function isUpgrade(req: IncomingMessage & { readonly upgrade?: unknown }): boolean {
  return req.upgrade === true;
}
