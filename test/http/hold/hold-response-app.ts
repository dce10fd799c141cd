import type { Express, NextFunction, Request, RequestHandler, Response } from "express";
import express5 from "express";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { holdResponse } from "../../../lib/http/hold/hold-response";
import type { ResponseGate } from "../../../lib/http/hold/hold-response";

export const EXPRESSES: [name: string, express: typeof express5][] = [
  ["Express 5", express5],
  ["Express 4", jest.requireActual<typeof express5>("express4")],
];

/** What a handler saw: return values, callbacks, events, errors; in order. */
export type Seen = (what: string, value?: unknown) => void;
export type Handler = (req: Request, res: Response, seen: Seen, next: NextFunction) => void;

export interface Scenario {
  readonly handler: Handler;
  /** The bytes that the client sends; a `GET /` that closes the connection where nothing is said. */
  readonly request?: string;
  /** Middlewares mounted before and after the hold. */
  readonly before?: () => RequestHandler[];
  readonly after?: () => RequestHandler[];
  readonly app?: (app: Express) => void;
  /** How long the client rests after each piece that it reads, in milliseconds. */
  readonly restMs?: number;
  /** What the log has to hold at last, where the handler goes on after its response is closed. */
  readonly lastWord?: string;
  /** What of the answer is compared; the whole of it on the wire where nothing is said. */
  readonly read?: (answer: Buffer) => string;
}

export const OUR_COOKIE = "ours=1; Path=/; HttpOnly";
export const GET = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/** A gate that keeps a log of what it was asked, and sets our cookie like the session's does. */
export class TestGate implements ResponseGate {
  readonly asked: string[] = [];
  constructor(
    private readonly headers: (res: Response) => Promise<void> | undefined,
    private readonly end: () => Promise<void> | undefined = () => undefined,
    private readonly res?: Response,
    private readonly cookie: (res: Response) => void = () => undefined,
  ) {}
  setHeaders(): void {
    this.cookie(this.res!);
  }
  setHeadersOfFailure(): void {
    // This gate has nothing to say of a failure.
  }
  beforeHeaders(): Promise<void> | undefined {
    this.asked.push("headers");
    return this.headers(this.res!);
  }
  beforeEnd(): Promise<void> | undefined {
    this.asked.push("end");
    return this.end();
  }
  onLost(error: unknown): void {
    this.asked.push(`lost: ${(error as Error).message}`);
  }
}

export function addOurCookie(res: Response): void {
  const before = res.getHeader("Set-Cookie");
  res.setHeader("Set-Cookie", before === undefined ? [OUR_COOKIE] : [before, OUR_COOKIE].flat().map(String));
}

/** An app with one route, held by what `gateFor` makes. */
export function heldApp(
  gateFor: (res: Response) => ResponseGate,
  handler: (res: Response, app: Express) => unknown,
): Express {
  const app = express5();
  app.use((_req, res, next) => {
    holdResponse(res, gateFor(res), next);
    next();
  });
  app.use((_req, res) => void handler(res, app));
  return app;
}

export function storing(log: string[], ms: number): () => Promise<void> {
  return async () => {
    await sleep(ms);
    log.push("stored");
  };
}

export const GATES: Record<string, (res: Response) => ResponseGate> = {
  "a gate with nothing to wait for": (res) => new TestGate(() => undefined, undefined, res),
  "a gate that sets a cookie at once": (res) => new TestGate(() => undefined, undefined, res, addOurCookie),
  "a gate that stores for 20 ms and then sets a cookie": (res) =>
    new TestGate(
      () => sleep(20),
      () => sleep(5),
      res,
      addOurCookie,
    ),
};

/** Runs a scenario on a real server over a real socket, with the gate or bare. */
export async function play(express: typeof express5, scenario: Scenario, gate?: (res: Response) => ResponseGate) {
  const log: string[] = [];
  const closed: Promise<unknown>[] = [];
  const app = express();
  app.set("etag", "strong");
  app.use((_req, res, next) => {
    const seen = seenIn(log);
    for (const event of ["finish", "drain", "pipe", "unpipe", "error", "close"]) {
      res.on(event, (value: unknown) => seen(event, event === "error" ? value : undefined));
    }
    closed.push(new Promise((resolve) => res.once("close", resolve)));
    next();
  });
  scenario.app?.(app);
  for (const middleware of scenario.before?.() ?? []) app.use(middleware);
  if (gate !== undefined) {
    app.use((_req, res, next) => {
      holdResponse(res, gate(res), next);
      next();
    });
  }
  for (const middleware of scenario.after?.() ?? []) app.use(middleware);
  app.use((req, res, next) => {
    const seen = seenIn(log);
    const { handler } = scenario;
    handler(req, res, seen, next);
    seen("returned", [res.headersSent, res.writableEnded]);
  });
  app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
    seenIn(log)("error page", [error, res.headersSent]);
    if (res.headersSent) next(error);
    else res.status((error as { status?: number }).status ?? 500).send(`Sorry: ${error.message}`);
  });
  return withServer(app, async (port) => {
    const answer = await exchange(port, scenario.request ?? GET, scenario.restMs);
    await Promise.all(closed);
    const { lastWord } = scenario;
    while (lastWord !== undefined && !log.some((line) => line.startsWith(lastWord))) await sleep(2);
    return { answer: (scenario.read ?? wireText)(answer), raw: answer.toString("latin1"), log };
  });
}

function seenIn(log: string[]): Seen {
  return (what, value) => log.push(value === undefined ? what : `${what}: ${describeValue(value)}`);
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(describeValue).join(", ");
  if (!(value instanceof Error) && !isErrorLike(value)) return String(value);
  return `${(value as { code?: string }).code ?? "error"} ${value.message}`;
}

function isErrorLike(value: unknown): value is Error {
  return typeof value === "object" && value !== null && "stack" in value;
}

/** Everything the client got, but for the date and our own cookie. */
export function wireText(answer: Buffer): string {
  const text = answer.toString("latin1");
  return (cutsByTurn ? withJoinedChunks(text) : text)
    .replace(/^Date: .*\r\n/gm, "")
    .replaceAll(`Set-Cookie: ${OUR_COOKIE}\r\n`, "");
}

/** The head, and the body without its chunks and its compression: those come out differently by time. */
export function bodyOf(answer: Buffer): string {
  const headEnd = answer.indexOf("\r\n\r\n");
  const head = answer.subarray(0, headEnd).toString("latin1");
  let body: Buffer = answer.subarray(headEnd + 4);
  if (/^Transfer-Encoding: chunked/im.test(head)) body = Buffer.from(chunksOf(body.toString("latin1"), 0)[0], "latin1");
  if (/^Content-Encoding: gzip/im.test(head)) body = gunzipSync(body);
  const kept = head
    .split("\r\n")
    .filter((line) => !/^(Date:|Set-Cookie: ours=)/.test(line))
    .join("\n");
  const digest = createHash("sha256").update(body).digest("hex");
  return `${kept}\n\n${body.length} bytes, ${digest}\n${body.toString("latin1", 0, 200)}`;
}

/** From Node 26 on, what is written in one turn is one chunk, so how a body is cut is a matter of time. */
const cutsByTurn = Number.parseInt(process.versions.node, 10) >= 26;

function withJoinedChunks(text: string): string {
  const head = text.search(/^Transfer-Encoding: chunked\r\n/m);
  if (head < 0) return text;
  const start = text.indexOf("\r\n\r\n", head) + 4;
  const [body, end] = chunksOf(text, start);
  const joined = body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`;
  return text.slice(0, start) + joined + withJoinedChunks(text.slice(end));
}

/** What is in the chunks from here on, and where they end. */
function chunksOf(text: string, start: number): [body: string, end: number] {
  let body = "";
  for (let at = start; ;) {
    const lineEnd = text.indexOf("\r\n", at);
    const length = parseInt(text.slice(at, lineEnd), 16);
    if (!(length > 0)) return [body, at];
    body += text.slice(lineEnd + 2, lineEnd + 2 + length);
    at = lineEnd + 2 + length + 2;
  }
}

export async function withServer<T>(app: Express, use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

export function open(port: number): Socket {
  return connect(port, "127.0.0.1");
}

/** Sends the bytes, and reads until the server closes. */
export async function exchange(port: number, request: string, restMs = 0): Promise<Buffer> {
  const socket = open(port);
  socket.write(request, "latin1");
  const pieces: Buffer[] = [];
  for await (const piece of socket) {
    pieces.push(piece as Buffer);
    if (restMs > 0) await sleep(restMs);
  }
  return Buffer.concat(pieces);
}
