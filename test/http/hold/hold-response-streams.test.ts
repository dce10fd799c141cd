import compression from "compression";
import session from "express-session";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, pipeline, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestHandler, Response } from "express";
import { bodyOf, EXPRESSES, GATES, GET, play } from "./hold-response-app";
import type { Scenario } from "./hold-response-app";

const folder = mkdtempSync(join(tmpdir(), "hold-response-"));
const small = join(folder, "small.txt");
const big = join(folder, "big.bin");
writeFileSync(small, "0123456789".repeat(300));
writeFileSync(big, Buffer.alloc(5 * 1024 * 1024, "0123456789abcdef"));
afterAll(() => rmSync(folder, { recursive: true }));

const get = (...headers: string[]) =>
  ["GET / HTTP/1.1", "Host: x", "Connection: close", ...headers].join("\r\n") + "\r\n\r\n";
const getGzip = get("Accept-Encoding: gzip");

async function* pieces() {
  for (const n of [1, 2, 3, 4]) {
    await sleep(8);
    yield `piece ${n}\n`;
  }
}

const streams: Record<string, Scenario> = {
  "a small file that is piped": { handler: (_req, res) => void createReadStream(small).pipe(res) },
  "a big file that is piped to a slow reader": {
    handler: (_req, res) => void createReadStream(big).pipe(res),
    restMs: 1,
    read: bodyOf,
  },
  "pipeline of a file": {
    handler: (_req, res, seen) =>
      void pipeline(createReadStream(small), res, (error) => seen("pipeline", error ?? "fine")),
    lastWord: "pipeline",
  },
  "pipeline of a generator": {
    handler: (_req, res, seen) => void pipeline(pieces, res, (error) => seen("pipeline", error ?? "fine")),
    lastWord: "pipeline",
  },
  "pipeline of a generator with big pieces": {
    handler: (_req, res, seen) => {
      const bigPieces = () => Readable.from([1, 2, 3, 4].map((n) => Buffer.alloc(300_000, String(n))));
      pipeline(bigPieces(), new PassThrough(), res, (error) => seen("pipeline", error ?? "fine"));
    },
    lastWord: "pipeline",
    read: bodyOf,
  },
  "a pipe that began long before its first byte": {
    handler: (_req, res) => {
      const source = new PassThrough();
      source.pipe(res);
      setTimeout(() => source.end("at last"), 15);
    },
  },
  "writes that wait for drain": {
    handler: async (_req, res) => {
      for (let n = 0; n < 40; n++) {
        if (!res.write(Buffer.alloc(50_000, 97 + (n % 26)))) await new Promise((go) => res.once("drain", go));
      }
      res.end();
    },
    restMs: 1,
    read: bodyOf,
  },
  "5 MB in one end": {
    handler: (_req, res) => void res.end(Buffer.alloc(5 * 1024 * 1024, "x")),
    restMs: 1,
    read: bodyOf,
  },
  "server-sent events": {
    handler: async (_req, res) => {
      res.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
      res.flushHeaders();
      for (const n of [1, 2, 3]) {
        res.write(`id: ${n}\ndata: hello\n\n`);
        await sleep(12);
      }
      res.end();
    },
  },
  "res.sendFile": { handler: (_req, res) => sendFile(res, small) },
  "res.sendFile of a big file": { handler: (_req, res) => sendFile(res, big), restMs: 1, read: bodyOf },
  "res.sendFile of a range": {
    request: get("Range: bytes=5-14"),
    handler: (_req, res) => sendFile(res, small),
  },
  "res.sendFile of a range that is none": {
    request: get("Range: bytes=99999-"),
    handler: (_req, res) => sendFile(res, small),
  },
  "res.sendFile of nothing": { handler: (_req, res, _seen, next) => res.sendFile(join(folder, "none"), next) },
  "res.download": { handler: (_req, res) => res.download(small, "grüße.txt", { lastModified: false }) },
};

function sendFile(res: Response, file: string): void {
  res.sendFile(file, { lastModified: false });
}

const page = "<p>compress me</p>".repeat(400);
const compressed: Record<string, Scenario["handler"]> = {
  send: (_req, res) => void res.send(page),
  "send of little": (_req, res) => void res.send("little"),
  "json with an ETag": (_req, res) => void res.json(Array(500).fill("again")),
  writes: async (_req, res) => {
    res.type("html");
    for (let n = 0; n < 30; n++) {
      if (!res.write(page)) await new Promise((go) => res.once("drain", go));
    }
    res.end();
  },
  "a piped file": (_req, res) => createReadStream(small).pipe(res.type("txt")),
  "a piped big file": (_req, res) => createReadStream(big).pipe(res.type("txt")),
  "a pipeline of a generator": (_req, res, seen) =>
    void pipeline(pieces, res.type("txt"), (error) => seen("pipeline", error?.message ?? "fine")),
  "what can't be compressed": (_req, res) => void res.type("png").send(Buffer.alloc(3000)),
  "events with flush": async (_req, res) => {
    res.type("text/event-stream");
    for (const n of [1, 2, 3]) {
      res.write(`data: ${n}\n\n`);
      res.flush();
      await sleep(12);
    }
    res.end();
  },
  "writeHead and end": (_req, res) => void res.writeHead(201, { "Content-Type": "text/html" }).end(page),
};

function expressSession(): RequestHandler[] {
  return [session({ secret: "s", resave: false, saveUninitialized: true })];
}

const countViews: Scenario["handler"] = (req, res) => {
  (req as unknown as { session: { views: number } }).session.views = 1;
  res.send("one view");
};

const setHeadersLate: (this: Response) => void = function () {
  this.setHeader("X-Late", "set when the headers go");
};

const neighbours: Record<string, Scenario> = {
  "express-session mounted before": { handler: countViews, before: expressSession, read: withoutForeignCookie },
  "express-session mounted after": { handler: countViews, after: expressSession, read: withoutForeignCookie },
  "a listener of headers mounted before": { handler: (_req, res) => void res.send("x"), before: onHeaders },
  "a listener of headers mounted after": { handler: (_req, res) => void res.send("x"), after: onHeaders },
  "a listener of headers and writeHead": {
    handler: (_req, res) => void res.writeHead(200, { "X-One": "1" }).end("x"),
    after: onHeaders,
  },
};

function onHeaders(): RequestHandler[] {
  const listen = jest.requireActual<(res: Response, listener: (this: Response) => void) => void>("on-headers");
  return [
    (_req, res, next) => {
      listen(res, setHeadersLate);
      next();
    },
  ];
}

function withoutForeignCookie(answer: Buffer): string {
  return bodyOf(answer).replace(/connect\.sid=[^;]*/, "connect.sid=…");
}

const all: Record<string, Scenario> = { ...streams, ...neighbours };
for (const [name, handler] of Object.entries(compressed)) {
  const scenario = {
    handler,
    request: getGzip,
    read: bodyOf,
    ...(name.includes("pipeline") && { lastWord: "pipeline" }),
  };
  all[`compression mounted before, ${name}`] = { ...scenario, before: () => [compression()] };
  all[`compression mounted after, ${name}`] = { ...scenario, after: () => [compression()] };
}
all["compression that the client does not want"] = {
  handler: (_req, res) => void res.send(page),
  request: GET,
  before: () => [compression()],
};

describe.each(EXPRESSES)("P1: a held stream is the same as a bare one, on %s", (_name, express) => {
  describe.each(Object.entries(GATES))("with %s", (_gateName, gate) => {
    test.each(Object.entries(all))("%s", async (_scenario, scenario) => {
      const bare = await play(express, scenario);
      const held = await play(express, scenario, gate);
      expect(held.answer).toBe(bare.answer);
      expect(comparable(held.log)).toEqual(comparable(bare.log));
    });
  });
});

/**
 * How often a response drains is a matter of time. And a response is ended once the handler has ended it, also where a
 * middleware below would still keep that to itself.
 */
function comparable(log: string[]): string[] {
  return log.filter((line) => line !== "drain").map((line) => line.replace(/^(returned: \w+), \w+$/, "$1"));
}
