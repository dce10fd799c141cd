import { ServerResponse, STATUS_CODES } from "node:http";
import type { OutgoingHttpHeader } from "node:http";
import { bytesOf } from "./hold-state";
import { keepsRepeatedNames, nodeMethod } from "./node-response";

/** The properties that Node sets on a response when it makes the head; the same from Node 20 to 26. */
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

/** A `_send` that sends nothing; see `makeHead`. */
const SENDS_NOTHING: PropertyDescriptor = { value: () => true, configurable: true };

/** The head (status line and headers) of a held response: shown to the handler although it is not sent. */
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
   * Lets Node make the head, so that the response shows what it would show without us. Throws what Node throws.
   * `ending` are the arguments of the `end` that sends it, from which Node knows the length of the body.
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
      // Where Node throws, it leaves these two changed.
      Object.assign(res, { statusCode, statusMessage });
      throw error;
    }
    return new ShownHead(res, before);
  }

  /** Takes the head back. Where the handler has assigned a status since, returns a function that assigns it again. */
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
  // No response should have this header. With it, Node sends the head at once.
  const sendsAtOnce = res.hasHeader("Expect");
  if (sendsAtOnce) Object.defineProperty(res, "_send", SENDS_NOTHING);
  try {
    Reflect.apply(nodeMethod("writeHead"), res, [res.statusCode]);
  } finally {
    if (sendsAtOnce) Reflect.deleteProperty(res, "_send");
  }
}

/**
 * Sets the length of the body from the arguments of an `end`, as Node's own `end` does before it makes the head. HEAD
 * too gets its Content-Length from it.
 */
export function noteLength(res: ServerResponse, ending: unknown[]): void {
  const hasChunk = Boolean(ending[0]) && typeof ending[0] !== "function";
  (res as ServerResponse & HeadNotes)._contentLength = hasChunk ? bytesOf(ending) : 0;
}

/** Named one by one: this runs for every response that waits, and a loop over the names takes longer. */
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

type Names = [name: string, value: OutgoingHttpHeader][];

/**
 * Puts what a handler gave to `writeHead` onto the response, the way Node does, so that the gate sees these headers and
 * its own don't get lost under them. Returns the arguments that are left to pass on. Throws what Node would throw.
 *
 * Where an array repeats a name, its values are sent together, under the first spelling; nothing else differs.
 */
export function applyWrittenHead(res: ServerResponse, args: unknown[]): unknown[] {
  if (!(res instanceof ServerResponse)) return args;
  const status = args[0] as number;
  const reason = typeof args[1] === "string" ? args[1] : undefined;
  const headers = reason === undefined ? (args[2] ?? args[1]) : args[2];

  const isFirst = res.getHeaderNames().length === 0;
  if (!(status >= 100 && status <= 999)) throwAsNode(res, [status], isFirst);
  res.statusCode = status | 0;
  res.statusMessage = reason ?? (res.statusMessage || (STATUS_CODES[res.statusCode] ?? "unknown"));
  if (reason !== undefined || Array.isArray(headers)) throwAsNode(res, args, isFirst);

  if (Array.isArray(headers)) {
    addArray(res, namesOf(headers), isFirst);
  } else if (headers) {
    for (const [name, value] of Object.entries(headers) as Names) if (name) res.setHeader(name, copyOf(value));
  }
  return reason === undefined ? [status] : [status, reason];
}

/** A flat list of names and values, or a list of pairs. */
function namesOf(headers: unknown[]): Names {
  const flat = Array.isArray(headers[0]) ? headers.flat(1) : headers;
  const names: Names = [];
  for (let n = 0; n < flat.length; n += 2) names.push([flat[n] as string, flat[n + 1] as OutgoingHttpHeader]);
  return names.filter(([name]) => name);
}

function addArray(res: ServerResponse, names: Names, isFirst: boolean): void {
  if (isFirst || keepsRepeatedNames()) {
    if (!isFirst) for (const [name] of names) res.removeHeader(name);
    for (const [name, value] of names) res.appendHeader(name, copyOf(value) as string);
  } else {
    for (const [name, value] of names) res.setHeader(name, copyOf(value));
  }
}

/**
 * Node appends to the array that a response was given. The handler's own may be a constant, and must not collect our
 * cookies.
 */
function copyOf(value: OutgoingHttpHeader): OutgoingHttpHeader {
  return Array.isArray(value) ? [...value] : value;
}

function throwAsNode({ req }: ServerResponse, args: unknown[], isFirst: boolean): void {
  const trial = new ServerResponse(req);
  if (!isFirst) trial.setHeader("x", "x");
  (trial.writeHead as (...args: unknown[]) => unknown)(...args);
}
