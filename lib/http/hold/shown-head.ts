import type { ServerResponse } from "node:http";
import { bytesOf } from "./held-call";
import { nodeMethod } from "./node-response";

/** What Node notes on a response as it makes its head; the same from Node 20 to 26. */
interface HeadNotes {
  _header: string | null;
  _contentLength: number | null;
  _hasBody: boolean;
  _last: boolean;
  _defaultKeepAlive: boolean;
  _removedConnection: boolean;
  _removedContLen: boolean;
  _removedTE: boolean;
  chunkedEncoding: boolean;
  shouldKeepAlive: boolean;
  statusCode: number;
  statusMessage: string;
}

/** Keeps Node from sending; see `makeHead`. */
const SENDS_NOTHING: PropertyDescriptor = { value: () => true, configurable: true };

/** A head that is shown although it is not sent. */
export class ShownHead {
  readonly #before: HeadNotes;
  readonly #statusCode: number;
  readonly #statusMessage: string;

  private constructor(res: ServerResponse & HeadNotes, before: HeadNotes) {
    this.#before = before;
    this.#statusCode = res.statusCode;
    this.#statusMessage = res.statusMessage;
  }

  /**
   * Lets Node make the head, so that the response shows what it would show without us, and throws what Node throws.
   * `ending` are the arguments of the `end` that sends it, by which Node tells the length of the body.
   */
  static of(response: ServerResponse, ending: unknown[] | undefined): ShownHead {
    const res = response as ServerResponse & HeadNotes;
    const before = notesOf(res);
    try {
      if (ending !== undefined) noteLength(res, ending);
      makeHead(res);
    } catch (error) {
      const { statusCode, statusMessage } = res;
      putBack(res, before);
      // These two stay as Node leaves them where it throws.
      Object.assign(res, { statusCode, statusMessage });
      throw error;
    }
    return new ShownHead(res, before);
  }

  /** Takes it back. Returns what assigns again the status that the handler has assigned since, if it has. */
  hide(response: ServerResponse): (() => void) | undefined {
    const { statusCode, statusMessage } = response;
    putBack(response as ServerResponse & HeadNotes, this.#before);
    const keepsCode = statusCode === this.#statusCode;
    const keepsMessage = statusMessage === this.#statusMessage;
    if (keepsCode && keepsMessage) return undefined;
    return () => {
      if (!keepsCode) response.statusCode = statusCode;
      if (!keepsMessage) response.statusMessage = statusMessage;
    };
  }
}

function makeHead(res: ServerResponse): void {
  // A header that no response should have, and with which Node sends the head at once.
  const sendsAtOnce = res.hasHeader("Expect");
  if (sendsAtOnce) Object.defineProperty(res, "_send", SENDS_NOTHING);
  try {
    Reflect.apply(nodeMethod("writeHead"), res, [res.statusCode]);
  } finally {
    if (sendsAtOnce) Reflect.deleteProperty(res, "_send");
  }
}

/** Notes how long the body of an `end` with these arguments is, as Node's own `end` does before it makes the head. */
export function noteLength(res: ServerResponse, ending: unknown[]): void {
  const hasChunk = Boolean(ending[0]) && typeof ending[0] !== "function";
  (res as ServerResponse & HeadNotes)._contentLength = hasChunk ? bytesOf(ending) : 0;
}

/** Named one by one: this is done for every response that waits, and a loop over the names takes longer. */
function notesOf(res: HeadNotes): HeadNotes {
  return {
    _header: res._header,
    _contentLength: res._contentLength,
    _hasBody: res._hasBody,
    _last: res._last,
    _defaultKeepAlive: res._defaultKeepAlive,
    _removedConnection: res._removedConnection,
    _removedContLen: res._removedContLen,
    _removedTE: res._removedTE,
    chunkedEncoding: res.chunkedEncoding,
    shouldKeepAlive: res.shouldKeepAlive,
    statusCode: res.statusCode,
    statusMessage: res.statusMessage,
  };
}

function putBack(res: HeadNotes, before: HeadNotes): void {
  res._header = before._header;
  res._contentLength = before._contentLength;
  res._hasBody = before._hasBody;
  res._last = before._last;
  res._defaultKeepAlive = before._defaultKeepAlive;
  res._removedConnection = before._removedConnection;
  res._removedContLen = before._removedContLen;
  res._removedTE = before._removedTE;
  res.chunkedEncoding = before.chunkedEncoding;
  res.shouldKeepAlive = before.shouldKeepAlive;
  res.statusCode = before.statusCode;
  res.statusMessage = before.statusMessage;
}
