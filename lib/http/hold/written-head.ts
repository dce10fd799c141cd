import { ServerResponse, STATUS_CODES } from "node:http";
import type { OutgoingHttpHeader } from "node:http";
import { keepsRepeatedNames } from "./node-response";

type Names = [name: string, value: OutgoingHttpHeader][];

/**
 * Puts what a handler gave to `writeHead` onto the response, the way Node does, and answers the arguments that are left to
 * pass on: so the gate sees these headers, and its own don't get lost under them. Throws what Node would throw.
 *
 * A name that an array repeats stands together on the wire, under its first spelling; nothing else differs.
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

/** A response appends to the array that it was given: the handler's own may be a constant, and must not collect our cookies. */
function copyOf(value: OutgoingHttpHeader): OutgoingHttpHeader {
  return Array.isArray(value) ? [...value] : value;
}

function throwAsNode({ req }: ServerResponse, args: unknown[], isFirst: boolean): void {
  const trial = new ServerResponse(req);
  if (!isFirst) trial.setHeader("x", "x");
  (trial.writeHead as (...args: unknown[]) => unknown)(...args);
}
