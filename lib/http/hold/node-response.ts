import { OutgoingMessage, ServerResponse } from "node:http";
import { types } from "node:util";

/** A method of a response that sends something: Node's own, or a middleware's. */
export type Sender = (this: ServerResponse, ...args: unknown[]) => unknown;

/** Node's own method, whatever a middleware has put before it. */
export function nodeMethod(name: keyof ServerResponse): Sender {
  return Reflect.get(ServerResponse.prototype, name) as Sender;
}

/**
 * A response to no request, for trying out what Node does. That is tried when it is first needed, which is never in
 * most apps.
 */
function trialResponse(): ServerResponse {
  return Reflect.construct(ServerResponse, [
    { method: "GET", httpVersionMajor: 1, httpVersionMinor: 1 },
  ]) as ServerResponse;
}

let sent: ServerResponse | undefined;
/** A response whose headers are sent. What Node throws for it is what a handler must get. */
export function sentResponse(): ServerResponse {
  if (sent === undefined) {
    sent = trialResponse();
    sent.writeHead(200);
  }
  return sent;
}

/** Throws what Node throws for a chunk of a wrong type: a destroyed message still checks what it is given. */
export function refuseWrongChunk(chunk: unknown): void {
  if (typeof chunk === "string" || types.isUint8Array(chunk)) return;
  const destroyed = new OutgoingMessage();
  destroyed.destroy();
  destroyed.write(chunk);
}

let listensForFinish: boolean | undefined;
/** Up to Node 22, the callback of `end` is a listener of `finish`, called in the order of registration. */
export function endListensForFinish(): boolean {
  return (listensForFinish ??=
    trialResponse()
      .end(() => undefined)
      .listenerCount("finish") > 0);
}

let repeatsNames: boolean | undefined;
/**
 * Where an array repeats a name and other headers are set already, Node 20 takes the last value, and Node 22 takes all.
 */
export function keepsRepeatedNames(): boolean {
  return (repeatsNames ??= triesRepeatedNames());
}

function triesRepeatedNames(): boolean {
  const trial = trialResponse();
  trial.setHeader("x", "0");
  trial.writeHead(200, ["x", "1", "x", "2"]);
  return Array.isArray(trial.getHeader("x"));
}
