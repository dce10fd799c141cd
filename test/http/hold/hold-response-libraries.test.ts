import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Request, RequestHandler, Response } from "express";
import { createProxyMiddleware, responseInterceptor } from "http-proxy-middleware";
import winston from "winston";
import { bodyOf, EXPRESSES, GATES, GET, play } from "./hold-response-app";
import type { Handler, Scenario, Seen } from "./hold-response-app";

type Listener = (this: Response) => void;
interface Proxy {
  web(req: Request, res: Response, options: object, failed: (error: Error) => void): void;
  on(event: "proxyRes", listener: (answer: IncomingMessage) => void): void;
}

const onHeaders = jest.requireActual<(res: Response, listener: Listener) => void>("on-headers");
const onFinished = jest.requireActual<{
  (res: Response, listener: (error: Error | null, res: Response) => void): void;
  isFinished(res: Response): boolean;
}>("on-finished");
const responseTime = jest.requireActual<(fn: (req: Request, res: Response) => void) => RequestHandler>("response-time");
const expressWinston = jest.requireActual<{ logger(options: object): RequestHandler }>("express-winston");
const finalhandler =
  jest.requireActual<(req: Request, res: Response, options: object) => (error?: unknown) => void>("finalhandler");
interface SendStream {
  on(event: "error", listener: (error: Error) => void): void;
  pipe(res: Response): void;
}
const send = jest.requireActual<(req: Request, path: string, options: object) => SendStream>("send");
const httpProxy = jest.requireActual<{ createProxyServer(options: object): Proxy }>("http-proxy");

const folder = mkdtempSync(join(tmpdir(), "hold-response-"));
const file = join(folder, "page.txt");
writeFileSync(file, "0123456789".repeat(300));

let upstream: ReturnType<typeof createServer>;
let target: string;
beforeAll(async () => {
  upstream = createServer((req: IncomingMessage, res: ServerResponse) => {
    if (req.url === "/broken") req.socket.destroy();
    else if (req.url === "/streamed") {
      res.write("first ");
      setTimeout(() => res.end("last"), 15);
    } else if (req.url === "/moved") res.writeHead(302, { Location: "/next", "Set-Cookie": ["a=1", "b=2"] }).end();
    else res.writeHead(201, "Made", { "Content-Type": "text/html", "X-Up": "1" }).end("<p>from upstream</p>");
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(async () => {
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
  rmSync(folder, { recursive: true });
});

/** A middleware of each library that is mounted beside ours; what it looks at goes into the log. */
const neighbours: Record<string, (log: Seen) => RequestHandler> = {
  "on-headers": (seen) => (_req, res, next) => {
    onHeaders(res, function () {
      seen("on-headers", [
        this === res,
        this.statusCode,
        this.headersSent,
        this.writableEnded,
        this.get("Content-Type"),
      ]);
      this.setHeader("X-Late", "1");
      if (this.statusCode === 200) this.statusCode = 203;
    });
    next();
  },
  "on-finished": (seen) => (_req, res, next) => {
    onFinished(res, (error, { statusCode }) => seen("on-finished", [error, statusCode, onFinished.isFinished(res)]));
    next();
  },
  "response-time": (seen) => responseTime((_req, res) => seen("response-time", [res.headersSent, res.statusCode])),
  "express-winston": (seen) => {
    const stream = new Writable({
      write(line: Buffer, _encoding, done) {
        seen("express-winston", line.toString().replace(/"responseTime":\d+/, ""));
        done();
      },
    });
    return expressWinston.logger({
      transports: [new winston.transports.Stream({ stream })],
      format: winston.format.json(),
      responseWhitelist: ["statusCode", "statusMessage", "headersSent", "finished", "writableEnded", "body"],
    });
  },
  "a writeHead that is counted": (seen) => (_req, res, next) => {
    const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => Response;
    res.writeHead = ((...args: unknown[]) => {
      seen("writeHead", [args[0], res.headersSent]);
      const answer = writeHead(...args);
      seen("writeHead is done", res.headersSent);
      return answer;
    }) as Response["writeHead"];
    next();
  },
  "an end that is counted": (seen) => (_req, res, next) => {
    const end = res.end.bind(res) as (...args: unknown[]) => Response;
    res.end = ((...args: unknown[]) => {
      seen("end", [res.headersSent, res.writableEnded]);
      const answer = end(...args);
      seen("end is done", [res.headersSent, res.writableEnded]);
      return answer;
    }) as Response["end"];
    next();
  },
};

const answers: Record<string, Handler> = {
  "res.send": (_req, res) => void res.send("hello"),
  "res.redirect": (_req, res) => res.redirect("/next"),
  "an end": (_req, res) => void res.type("html").end("x"),
  "an end without a body": (_req, res) => void res.end(),
  "a writeHead, and an end": (_req, res) => void res.writeHead(201, { "Content-Type": "text/html" }).end("x"),
  "writes and an end": (_req, res) => {
    res.write("a");
    res.write("b");
    res.end("c");
  },
  "flushHeaders, a write and an end": async (_req, res) => {
    res.flushHeaders();
    res.write("a");
    await sleep(5);
    res.end("b");
  },
  "a file": (_req, res) => res.sendFile(file, { lastModified: false, etag: false }),
  "an error": (_req, _res, _seen, next) => next(Object.assign(new Error("broken"), { status: 422 })),
};

/** What answers by itself. */
const handlers: Record<string, Scenario> = {
  "finalhandler, for an error": {
    handler: (req, res) => finalhandler(req, res, { env: "production" })(new Error("broken")),
  },
  "finalhandler, for nothing": { handler: (req, res) => finalhandler(req, res, { env: "production" })() },
  "finalhandler, after an answer": {
    handler: (req, res, seen) => {
      res.json({ ok: 1 });
      finalhandler(req, res, { env: "production", onerror: (error: unknown) => seen("told", error) })(
        new Error("broken"),
      );
    },
    lastWord: "told",
  },
  "finalhandler, for an upload": {
    request: GET.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nhello"),
    handler: (req, res) => finalhandler(req, res, { env: "production" })(new Error("broken")),
  },
  send: { handler: (req, res) => send(req, file, { lastModified: false }).pipe(res) },
  "send, of a range": {
    request: GET.replace("\r\n\r\n", "\r\nRange: bytes=5-14\r\n\r\n"),
    handler: (req, res) => send(req, file, { lastModified: false }).pipe(res),
  },
  "send, of what is not there": { handler: (req, res) => send(req, join(folder, "none"), {}).pipe(res) },
  "send, after an answer": {
    handler: (req, res, seen) => {
      res.end("x");
      const stream = send(req, file, {});
      stream.on("error", (error) => seen("send fails", error));
      stream.pipe(res);
    },
    lastWord: "send fails",
  },
};
for (const path of ["/", "/streamed", "/moved", "/broken"]) {
  const request = GET.replace("/ ", `${path} `);
  handlers[`http-proxy, ${path}`] = {
    request,
    handler: (req, res, seen) => {
      httpProxy.createProxyServer({}).web(req, res, { target }, (error) => {
        seen("proxy", error.message);
        if (!res.headersSent) res.status(502).end("no answer");
      });
    },
  };
  handlers[`http-proxy-middleware, ${path}`] = {
    request,
    handler: (req, res, _seen, next) => void createProxyMiddleware({ target })(req, res, next),
  };
  handlers[`http-proxy-middleware that rewrites, ${path}`] = {
    request,
    handler: (req, res, _seen, next) =>
      void createProxyMiddleware({
        target,
        selfHandleResponse: true,
        on: { proxyRes: responseInterceptor(async (body) => body.toString().toUpperCase()) },
      })(req, res, next),
  };
}

function readAnswer(answer: Buffer): string {
  return (
    bodyOf(answer)
      .replace(/X-Response-Time: .*/, "X-Response-Time: …")
      // Names of headers are the same in any case.
      .replaceAll("set-cookie: ", "Set-Cookie: ")
      .replaceAll(target, "(upstream)")
      .replace(/^date: .*/gm, "")
  );
}

const slow = Object.entries(GATES).filter(([what]) => !what.includes("at once"));

describe.each(EXPRESSES)("a held response is the same to other libraries, on %s", (_name, express) => {
  describe.each(slow)("with %s", (_gateName, gate) => {
    describe.each(Object.entries(neighbours))("%s", (_library, middleware) => {
      describe.each(["before", "after"] as const)("mounted %s us", (where) => {
        test.each(Object.entries(answers))("%s", async (_what, handler) => {
          const told = { bare: [] as string[], held: [] as string[] };
          const scenario = (name: keyof typeof told): Scenario => ({
            ...{ handler, read: readAnswer },
            [where]: () => [middlewareInto(told[name], middleware)],
          });
          const bare = await play(express, scenario("bare"));
          const held = await play(express, scenario("held"), gate);
          expect(held.answer).toBe(bare.answer);
          expect(told.held).toEqual(told.bare);
          expect(held.log).toEqual(bare.log);
        });
      });
    });

    test.each(Object.entries(handlers))("%s", async (_what, scenario) => {
      const bare = await play(express, { ...scenario, read: readAnswer });
      const held = await play(express, { ...scenario, read: readAnswer }, gate);
      expect(held.answer).toBe(bare.answer);
      // Whether something comes before the end of the response is a matter of time.
      expect(held.log.sort()).toEqual(bare.log.sort());
    });
  });
});

function middlewareInto(told: string[], middleware: (log: Seen) => RequestHandler): RequestHandler {
  return middleware((what, value) => told.push(`${what}: ${String(value)}`));
}
