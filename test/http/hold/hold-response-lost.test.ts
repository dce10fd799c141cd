import compression from "compression";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { holdResponse } from "../../../lib/http/hold/hold-response";
import { exchange, EXPRESSES, GET, TestGate, withServer, wireText } from "./hold-response-app";

const notStored = async (): Promise<never> => {
  await sleep(20);
  throw new Error("not stored");
};
const notStoredAtOnce = (): never => {
  throw new Error("not stored");
};

// A rejection that nobody handles, or an exception that nobody catches, fails the test in which it happens.
describe.each(EXPRESSES)("P7: a save that failed, on %s", (_name, express) => {
  interface Failure {
    readonly gate: TestGate;
    readonly handler: (res: Response, log: unknown[]) => unknown;
    readonly before?: RequestHandler;
    readonly after?: RequestHandler;
    readonly errorPage?: (error: Error, res: Response) => unknown;
    readonly request?: string;
  }

  async function fail({ gate, handler, before, after, errorPage, request = GET }: Failure) {
    const log: unknown[] = [];
    const app = express();
    if (before !== undefined) app.use(before);
    app.use((_req, res, next) => {
      holdResponse(res, gate, next);
      next();
    });
    if (after !== undefined) app.use(after);
    app.use((_req, res) => {
      res.on("error", (error) => log.push(error));
      void handler(res, log);
    });
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
      log.push(
        `error page: ${error.message}`,
        res.headersSent,
        res.writableEnded,
        res.statusCode,
        res.getHeaderNames(),
      );
      if (errorPage === undefined) res.status(503).json({ sorry: error.message });
      else errorPage(error, res);
    });
    const answer = await withServer(app, async (port) => {
      const bytes = await exchange(port, request).catch((error: unknown) => Buffer.from(String(error)));
      await sleep(60);
      return bytes;
    });
    return { answer: wireText(answer), log };
  }

  const cleanErrorPage = ["error page: not stored", false, false, 200, ["x-powered-by"]];

  const endings: Record<string, (res: Response) => unknown> = {
    send: (res) => res.cookie("theirs", "1").set("X-Theirs", "1").status(201).send("secret"),
    redirect: (res) => res.redirect("/secret"),
    "writeHead and end": (res) => res.writeHead(201, "Made", { "X-Theirs": "1" }).end("secret"),
    "204": (res) => res.writeHead(204).end(),
    "write and end": (res) => {
      res.write("secret");
      res.end(() => res.emit("error", new Error("the callback of an end that never was")));
    },
    trailers: (res) => {
      res.setHeader("Trailer", "X-Theirs");
      res.write("secret");
      res.addTrailers({ "X-Theirs": "1" });
      res.end();
    },
    "end and more": (res) => {
      res.end("secret");
      res.write("secret");
    },
    "a pipe that is over": (res) => Readable.from(["secret"]).pipe(res),
  };
  describe.each(Object.entries({ late: notStored, "at once": notStoredAtOnce }))("%s", (_when, fails) => {
    test.each(Object.entries(endings))(
      "after %s: the app's error page answers, and nothing else",
      async (_name, handler) => {
        const gate = new TestGate(fails);
        const { answer, log } = await fail({ gate, handler });
        expect(answer).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n[^]*\r\n\r\n{"sorry":"not stored"}$/);
        expect(answer).not.toMatch(/secret|theirs/i);
        expect(log).toEqual(cleanErrorPage);
        expect(gate.asked).toEqual(["headers"]);
      },
    );

    const writings: Record<string, (res: Response, log: unknown[]) => unknown> = {
      write: (res) => res.set("X-Theirs", "1").cookie("theirs", "1").write("secret"),
      writeHead: (res) => res.writeHead(200, "Fine", { "X-Theirs": "1" }),
      flushHeaders: (res) => res.set("X-Theirs", "1").flushHeaders(),
      "writes and an end that come later": async (res) => {
        res.write("secret");
        for (let n = 0; n < 5; n++) {
          await sleep(10);
          res.write("secret");
        }
        res.end("secret");
      },
      "writes of every turn": (res) => {
        const writeOn = () => {
          res.write("secret");
          if (!res.closed) setImmediate(writeOn);
        };
        writeOn();
      },
      "a pipe that goes on": (res) => endless().pipe(res),
    };
    test.each(Object.entries(writings))("in the middle of %s: a bare 503, and nothing else", async (_name, handler) => {
      const gate = new TestGate(fails);
      const { answer, log } = await fail({ gate, handler });
      expect(answer).toBe(
        [
          "HTTP/1.1 503 Service Unavailable",
          "X-Powered-By: Express",
          "Connection: close",
          "Content-Type: text/plain; charset=utf-8",
          "Content-Length: 20",
          "",
          "Service Unavailable\n",
        ].join("\r\n"),
      );
      expect(log).toEqual([]);
      expect(gate.asked).toEqual(["headers", "lost: not stored"]);
    });
  });

  test.each(["send", "writeHead and end"])("keeps what middlewares before us have set, after %s", async (name) => {
    const { answer } = await fail({
      gate: new TestGate(notStored),
      before: (_req, res, next) => {
        res.setHeader("Content-Security-Policy", "default-src 'none'");
        next();
      },
      handler: endings[name]!,
    });
    expect(answer).toMatch(/Content-Security-Policy: default-src 'none'\r\n/);
    expect(answer).not.toMatch(/theirs/i);
  });

  test("unpipes what still writes", async () => {
    const source = endless();
    await fail({ gate: new TestGate(notStored), handler: (res) => source.pipe(res) });
    expect([source.listenerCount("data"), source.readableFlowing]).toEqual([0, false]);
    source.destroy();
  });

  test("breaks off a pipeline, which then closes its source", async () => {
    const source = endless();
    const { log } = await fail({
      gate: new TestGate(notStored),
      handler: (res, log) => pipeline(source, res, (error) => log.push(error?.message)),
    });
    expect(source.destroyed).toBe(true);
    expect(log).toEqual(["Premature close"]);
  });

  test("tells the callback of each write that was dropped", async () => {
    const { log } = await fail({
      gate: new TestGate(notStored),
      handler: async (res, log) => {
        const write = promisify(
          res.write.bind(res) as (chunk: string, done: (error?: Error | null) => void) => boolean,
        );
        await write("a").catch((error: unknown) => log.push((error as Error).message));
        await write("b").catch((error: unknown) => log.push((error as Error).message));
      },
    });
    expect(log).toEqual(["not stored", "not stored"]);
  });

  test("of what changed after the first byte: the answer is broken off, not complete", async () => {
    const gate = new TestGate(() => undefined, notStored);
    const { answer, log } = await fail({
      gate,
      handler: (res) => {
        res.write("first");
        res.end("last");
        res.write("after the end");
      },
    });
    expect(answer).toContain("first");
    expect(answer).not.toMatch(/last|0\r\n\r\n$/);
    expect(log).toEqual([]);
    expect(gate.asked).toEqual(["headers", "end", "lost: not stored"]);
  });

  test("lets Express's own error page answer", async () => {
    const { answer } = await fail({
      gate: new TestGate(notStored),
      handler: (res) => res.type("json").send("{}"),
      errorPage: (error, res) => res.status(500).end(error.message),
    });
    expect(answer).toMatch(/^HTTP\/1.1 500 [^]*not stored/);
  });

  test("leaves the error page a date, and a status message of its own", async () => {
    const app = express();
    app.use((_req, res, next) => {
      holdResponse(res, new TestGate(notStored), next);
      next();
    });
    app.use((_req, res) => {
      res.statusMessage = "All Is Well";
      res.set("Date", "Thu, 01 Jan 1970 00:00:00 GMT").end();
    });
    app.use((_error: Error, _req: Request, res: Response, _next: NextFunction) => {
      res.status(503).end();
    });
    const answer = await withServer(app, (port) => exchange(port, GET));
    expect(answer.toString()).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n[^]*Date: (?!Thu, 01 Jan 1970)/);
  });

  test("leaves no trailers for an error page that has none", async () => {
    const { answer } = await fail({
      gate: new TestGate(notStored),
      handler: (res) => {
        res.write("secret");
        res.addTrailers({ "X-Theirs": "1" });
        res.end();
      },
      errorPage: (_error, res) => {
        res.write("sorry");
        res.end();
      },
    });
    expect(answer).toMatch(/\r\n5\r\nsorry\r\n0\r\n\r\n$/);
  });

  test("answers whole where a middleware below takes its time to end", async () => {
    const { answer } = await fail({
      gate: new TestGate(notStored),
      before: (_req, res, next) => {
        const end = res.end.bind(res) as (...args: unknown[]) => Response;
        res.end = ((...args: unknown[]) => {
          setTimeout(() => end(...args), 20);
          return res;
        }) as Response["end"];
        next();
      },
      handler: (res) => res.write("secret"),
    });
    expect(answer).toMatch(/^HTTP\/1.1 503 [^]*\r\n\r\nService Unavailable\n$/);
  });

  test("lets an error page stream, or send a file", async () => {
    const { answer } = await fail({
      gate: new TestGate(notStored),
      handler: (res) => res.sendFile(__filename),
      errorPage: (_error, res) => createReadStream(__filename).pipe(res.status(503)),
    });
    expect(answer).toContain("lets an error page stream");
  });

  test.each([
    ["before", "end"],
    ["after", "end"],
    ["before", "write"],
    ["after", "write"],
  ] as const)("with compression mounted %s, at %s: an answer that is whole", async (where, send) => {
    const gate = new TestGate(notStored);
    const { answer } = await fail({
      gate,
      [where]: compression({ threshold: 0 }),
      request: GET.replace("\r\n\r\n", "\r\nAccept-Encoding: gzip\r\n\r\n"),
      handler: (res) => {
        if (send === "end") res.type("html").send("secret ".repeat(1000));
        else res.type("html").write("secret ".repeat(10_000));
      },
      errorPage: (error, res) => res.status(503).type("png").send(Buffer.from(error.message)),
    });
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    if (where === "after") expect(answer).toMatch(/not stored$|Service Unavailable\n$/);
  });

  test("of one request leaves the next on the connection alone", async () => {
    let failed = 0;
    const app = express();
    app.use((req, res, next) => {
      holdResponse(res, new TestGate(req.url === "/1" ? notStored : () => undefined), next);
      next();
    });
    app.use((req, res) => void res.send(`this is ${req.url}`));
    app.use((_error: Error, _req: Request, res: Response, _next: NextFunction) => {
      failed += 1;
      res.status(503).send("sorry");
    });
    const answer = await withServer(app, (port) =>
      exchange(port, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + GET.replace("GET /", "GET /2")),
    );
    expect(answer.toString()).toMatch(/^HTTP\/1.1 503 [^]*sorryHTTP\/1.1 200 [^]*this is \/2$/);
    expect(failed).toBe(1);
  });
});

function endless(): Readable {
  return new Readable({
    read() {
      setTimeout(() => this.push(Buffer.alloc(30_000, "secret ")), 1);
    },
  });
}
