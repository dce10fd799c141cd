import type { Request, Response } from "express";
import { setTimeout as sleep } from "node:timers/promises";
import { EXPRESSES, GATES, GET, OUR_COOKIE, play } from "./hold-response-app";
import type { Scenario, Seen } from "./hold-response-app";

/**
 * What Node's `_http_outgoing` and `_http_server`, finalhandler, on-finished, send, compression, http-proxy, Express
 * and loggers read of a response, and of its connection, Node 20 to 26. Not among them is how much waits in Node's own
 * buffers (`writableLength`, `writableCorked`, `outputSize`): while a response is held, nothing does.
 */
const READ = [
  ...["headersSent", "_header", "_headerSent", "finished", "writableEnded", "writableFinished", "writableNeedDrain"],
  ...["writable", "destroyed", "closed", "errored", "_closed", "statusCode", "statusMessage", "sendDate", "_last"],
  ...["writableObjectMode", "writableHighWaterMark", "chunkedEncoding", "shouldKeepAlive", "strictContentLength"],
  ...["useChunkedEncodingByDefault", "_hasBody", "_contentLength", "_trailer", "_sent100", "_expect_continue"],
  ...["_removedConnection", "_removedContLen", "_removedTE", "_defaultKeepAlive", "_implicitHeader"],
  ...["_keepAliveTimeout", "maxRequestsOnConnectionReached"],
] as const;

/** Node 26 sends what is written at the end of the turn. */
const sendsLater = Number.parseInt(process.versions.node, 10) >= 26;

/** What can be asked of a response without sending anything, in any phase. */
const ASKED: Record<string, (res: Response, req: Request) => unknown> = {
  getHeaderNames: (res) => res.getHeaderNames().join(),
  getRawHeaderNames: (res) => (res as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames().join(),
  getHeaders: (res) => JSON.stringify(res.getHeaders()),
  hasHeader: (res) => res.hasHeader("X-One"),
  "res.get": (res) => res.get("X-One"),
  setHeader: (res) => res.setHeader("X-Asked", "1") === res,
  setHeaders: (res) => res.setHeaders(new Map([["X-Asked", "2"]])) === res,
  appendHeader: (res) => res.appendHeader("X-Asked", "3") === res,
  removeHeader: (res) => res.removeHeader("X-Asked"),
  addTrailers: (res) => res.addTrailers({}),
  "res.cookie": (res) => res.cookie("asked", "1") === res && res.removeHeader("Set-Cookie"),
  isFinished: (res) => jest.requireActual<{ isFinished(res: Response): unknown }>("on-finished").isFinished(res),
  "isFinished of the request": (_res, req) =>
    jest.requireActual<{ isFinished(req: Request): unknown }>("on-finished").isFinished(req),
  "the socket is destroyed": (_res, { socket }) => socket.destroyed,
  "the socket is writable": (_res, { socket }) => socket.writable,
  "the socket is the same": (res, { socket }) => res.socket === socket && Reflect.get(res, "connection") === socket,
  "whether the request is open": (_res, req) => [req.destroyed, Reflect.get(req, "aborted"), req.closed].join(),
};

/** What can be asked only once the head is gone: before that, it would be sent. */
const ASKED_WHEN_SENT: Record<string, (res: Response) => unknown> = {
  writeHead: (res) => res.writeHead(500),
  _implicitHeader: (res) => (res as unknown as { _implicitHeader(): void })._implicitHeader(),
  "res.send": (res) => res.send("late"),
  "res.redirect": (res) => res.redirect("/late"),
};

function look(phase: string, req: Request, res: Response, seen: Seen): void {
  const attempt = (name: string, ask: () => unknown) => {
    try {
      seen(`${phase}: ${name}`, plain(ask()));
    } catch (error) {
      seen(`${phase}: ${name} throws`, error);
    }
  };
  for (const name of READ) if (name !== "_headerSent" || !sendsLater) attempt(name, () => Reflect.get(res, name));
  for (const [name, ask] of Object.entries(ASKED)) attempt(name, () => ask(res, req));
  if (res.headersSent) for (const [name, ask] of Object.entries(ASKED_WHEN_SENT)) attempt(name, () => ask(res));
}

function plain(value: unknown): string {
  if (typeof value === "function") return "a function";
  return String(value)
    .replace(/Date: .*/, "")
    .replace(`Set-Cookie: ${OUR_COOKIE}\r\n`, "")
    .replace(/,"set-cookie":\["ours[^\]]*\]|,set-cookie\b|,Set-Cookie\b/g, "");
}

type Step = (req: Request, res: Response) => unknown;

const steps: Record<string, Record<string, Step>> = {
  "end with a body": {
    nothing: () => undefined,
    "a header": (_req, res) => res.set("X-One", "1"),
    end: (_req, res) => res.end("x"),
  },
  "end without one": { end: (_req, res) => res.end() },
  "end with a callback": { end: (_req, res) => res.end("x", () => undefined) },
  "res.send": { send: (_req, res) => res.send("x") },
  "res.json of an error": { send: (_req, res) => res.status(422).json({ sorry: true }) },
  "res.redirect": { redirect: (_req, res) => res.redirect("/next") },
  "204": { end: (_req, res) => res.status(204).end() },
  "304": { end: (_req, res) => res.status(304).end() },
  "a status message, and one assigned later": {
    end: (_req, res) => {
      res.statusMessage = "As You Like";
      res.end("x");
    },
    "assigned later": (_req, res) => {
      res.statusMessage = "Late";
      res.statusCode = 500;
    },
  },
  "write and end": {
    write: (_req, res) => res.write("x"),
    "another write": (_req, res) => res.write("y"),
    end: (_req, res) => res.end("z"),
  },
  "write with a length, in several turns": {
    write: (_req, res) => res.set("Content-Length", "3").write("x"),
    "a turn": () => sleep(5),
    "another write": (_req, res) => res.write("y"),
    end: (_req, res) => res.end("z"),
  },
  "a large write": { write: (_req, res) => res.write(Buffer.alloc(10_000_000)) },
  "writeHead and end": {
    writeHead: (_req, res) => res.writeHead(201, "Made", { "X-One": "1", Connection: "close" }),
    "a turn": () => sleep(5),
    end: (_req, res) => res.end("x"),
  },
  "flushHeaders, write and end": {
    flushHeaders: (_req, res) => res.flushHeaders(),
    "flushHeaders again": (_req, res) => res.flushHeaders(),
    write: (_req, res) => res.write("x"),
    end: (_req, res) => res.end(),
  },
  "_implicitHeader and end": {
    _implicitHeader: (_req, res) => (res as unknown as { _implicitHeader(): void })._implicitHeader(),
    end: (_req, res) => res.end("x"),
  },
  "destroy after end": {
    end: (_req, res) => res.end("x"),
    destroy: (_req, res) => res.destroy(),
    "destroy again": (_req, res) => res.destroy(new Error("again")),
  },
  "destroy with an error after end": {
    end: (_req, res) => res.on("error", () => undefined).end("x"),
    destroy: (_req, res) => res.destroy(new Error("broken")),
  },
  "the socket's destroy after end": {
    end: (_req, res) => res.end("x"),
    destroy: ({ socket }) => socket.destroy(),
  },
  "the socket's end after end": {
    end: (_req, res) => res.end("x"),
    "socket.end": ({ socket }) => socket.end(),
  },
  "headers that are taken off": {
    remove: (_req, res) => {
      res.set("Connection", "close").removeHeader("Connection");
      res.set("Content-Length", "1").removeHeader("Content-Length");
      res.sendDate = false;
    },
    end: (_req, res) => res.end("x"),
  },
};

const REQUESTS: Record<string, string> = {
  GET,
  HEAD: GET.replace("GET", "HEAD"),
  "GET of HTTP/1.0": "GET / HTTP/1.0\r\n\r\n",
  "POST that expects to be told to go on": GET.replace("GET", "POST").replace(
    "\r\n\r\n",
    "\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
  ),
  "the second of two GETs at once": "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + GET.replace("/", "/2"),
};

function scenarioOf(phases: Record<string, Step>, request: string): Scenario {
  return {
    request,
    // What happens on the wire is compared elsewhere.
    read: (answer) => (answer.length > 0 ? "something" : "nothing"),
    handler: async (req, res, seen) => {
      if (req.url === "/1") {
        res.end();
        return;
      }
      for (const [phase, step] of Object.entries(phases)) {
        const { socket } = req;
        const pause = step(req, res);
        if (pause instanceof Promise) await pause;
        // Gone by then where nothing holds the response.
        if (req.socket !== socket || res.closed) break;
        look(phase, req, res, seen);
      }
      if (!res.writableEnded) res.end();
    },
  };
}

describe.each(EXPRESSES)("a held response shows what it would show without us, on %s", (_name, express) => {
  describe.each(Object.entries(GATES).filter(([what]) => !what.includes("at once")))("with %s", (_gateName, gate) => {
    describe.each(Object.entries(REQUESTS))("%s", (method, request) => {
      // Node 24 never answers the second of two where that is destroyed before its turn.
      const possible = Object.entries(steps).filter(
        ([what]) => !(method.startsWith("the second") && what.startsWith("destroy")),
      );
      test.each(possible)("after each step of: %s", async (_what, phases) => {
        const scenario = scenarioOf(phases, request);
        const bare = await play(express, scenario);
        const held = await play(express, scenario, gate);
        expect(looks(held.log)).toEqual(looks(bare.log));
        expect(looks(bare.log).length).toBeGreaterThan(READ.length);
      });
    });
  });
});

/** Without the events: those come when they come. */
function looks(log: string[]): string[] {
  return log.filter((line) => line.includes(": "));
}
