import { OutgoingMessage, ServerResponse } from "node:http";
import { types } from "node:util";

/** A method of a response that sends something, whoever put it there. */
export type Sender = (this: ServerResponse, ...args: unknown[]) => unknown;

/** Node's own method, under whatever else a response was given. */
export function nodeMethod(name: keyof ServerResponse): Sender {
  return Reflect.get(ServerResponse.prototype, name) as Sender;
}

/** A response to no request, on which Node shows what it does. What it shows is looked at when it is first needed, which is never in most apps. */
function trialResponse(): ServerResponse {
  return Reflect.construct(ServerResponse, [
    { method: "GET", httpVersionMajor: 1, httpVersionMinor: 1 },
  ]) as ServerResponse;
}

let sent: ServerResponse | undefined;
/** A response whose headers are sent: what Node throws for it is what a handler has to see. */
export function sentResponse(): ServerResponse {
  if (sent === undefined) {
    sent = trialResponse();
    sent.writeHead(200);
  }
  return sent;
}

/** Node's own refusal of what is no chunk: a message that is destroyed still checks what it is given. */
export function refuseWrongChunk(chunk: unknown): void {
  if (typeof chunk === "string" || types.isUint8Array(chunk)) return;
  const destroyed = new OutgoingMessage();
  destroyed.destroy();
  destroyed.write(chunk);
}

let listensForFinish: boolean | undefined;
/** Until Node 22, the callback of `end` is a listener of `finish`, and has its turn in the order of registering. */
export function endListensForFinish(): boolean {
  return (listensForFinish ??=
    trialResponse()
      .end(() => undefined)
      .listenerCount("finish") > 0);
}

let repeatsNames: boolean | undefined;
/** Beside headers that are set already, Node 20 takes the last of the names that an array repeats; Node 22 takes them all. */
export function keepsRepeatedNames(): boolean {
  return (repeatsNames ??= triesRepeatedNames());
}

function triesRepeatedNames(): boolean {
  const trial = trialResponse();
  trial.setHeader("x", "0");
  trial.writeHead(200, ["x", "1", "x", "2"]);
  return Array.isArray(trial.getHeader("x"));
}
