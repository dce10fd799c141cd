import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { NextFunction, Request, Response } from "express";
import { holdResponse } from "../../../lib/http/hold/hold-response";
import type { ResponseGate } from "../../../lib/http/hold/hold-response";
import { addOurCookie, bodyOf, EXPRESSES, GET, open, OUR_COOKIE, TestGate, wireText } from "./hold-response-app";

type Act = (req: Request, res: Response, next: NextFunction, server: Server) => unknown;

const broken = () => new Error("broken");

/** A complete answer, and then something that closes its connection, or would. */
const closings: Record<string, Act> = {
  "res.json, then a throw": (_req, res) => {
    res.json({ ok: 1 });
    throw broken();
  },
  "res.json, then next(error)": (_req, res, next) => {
    res.json({ ok: 1 });
    next(broken());
  },
  "res.json, an await, then next(error)": async (_req, res, next) => {
    res.json({ ok: 1 });
    await sleep(5);
    next(broken());
  },
  "an error handler that answers and calls next(error)": (_req, _res, next) => next(new Error("to be answered")),
  "end, then res.send": (_req, res) => {
    res.end("x");
    res.send("y");
  },
  "write, end, then res.redirect": (_req, res) => {
    res.write("a");
    res.end("b");
    res.redirect("/next");
  },
  "writeHead, end, then a header": (_req, res) => {
    res.writeHead(201, { "X-One": "1" }).end("x");
    res.setHeader("X-Two", "2");
  },
  "a large answer, then a throw": (_req, res) => {
    res.send("x".repeat(10_000));
    throw broken();
  },
  "res.destroy()": (_req, res) => {
    res.send("x");
    res.destroy();
  },
  "res.destroy(error)": (_req, res) => {
    res.on("error", () => undefined);
    res.send("x");
    res.destroy(broken());
  },
  "req.destroy()": (req, res) => {
    res.send("x");
    req.destroy();
  },
  "socket.destroy()": (req, res) => {
    res.send("x");
    req.socket.destroy();
  },
  "socket.destroySoon()": (req, res) => {
    res.send("x");
    req.socket.destroySoon();
  },
  "socket.end()": (req, res) => {
    res.send("x");
    req.socket.end();
  },
  "socket.end(), then socket.destroy() in a later turn": async (req, res) => {
    res.send("x");
    req.socket.end();
    await sleep(5);
    req.socket.destroy();
  },
  "res.destroy(), then a write": (_req, res) => {
    res.send("x");
    res.destroy();
    res.write("y");
  },
  "server.close()": (_req, res, _next, server) => {
    res.send("x");
    server.close();
  },
  "server.closeIdleConnections()": (_req, res, _next, server) => {
    res.send("x");
    server.closeIdleConnections();
  },
  "server.closeIdleConnections(), as the end of a stream waits": (_req, res, _next, server) => {
    res.write("a");
    res.end("b");
    server.closeIdleConnections();
  },
  "server.closeAllConnections()": (_req, res, _next, server) => {
    res.send("x");
    server.closeAllConnections();
  },
};

/** Where a body comes in chunks, how it is cut is a matter of time. Two answers in a row are compared as they are. */
function readAnswer(answer: Buffer): string {
  return answer.indexOf("HTTP/1.1", 1) < 0 && answer.length > 0 ? bodyOf(answer) : wireText(answer);
}

const slow = (res: Response): ResponseGate =>
  new TestGate(
    () => sleep(30),
    () => sleep(10),
    res,
    addOurCookie,
  );

interface Asked {
  /** What it sends once the handler's error was told. */
  readonly later?: string;
  /** What the client sends; it keeps the connection alive where it can. */
  readonly request?: string;
  /** The client says at once that it sends no more. */
  readonly halfCloses?: boolean;
}

const KEEP_ALIVE = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

describe.each(EXPRESSES)("an answer that is complete, on %s", (_name, express) => {
  /** All that the client gets until its connection is closed, and what the error page was asked. */
  async function ask(
    act: Act,
    gate: ((res: Response) => ResponseGate) | undefined,
    { request = KEEP_ALIVE, later, halfCloses = false }: Asked = {},
  ) {
    const errors: string[] = [];
    const app = express();
    const server = createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    app.set("env", "test"); // Express itself logs no error then.
    app.use((_req, res, next) => {
      if (gate !== undefined) holdResponse(res, gate(res), next);
      next();
    });
    app.use((req, res, next) => void act(req, res, next, server));
    app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
      errors.push(`${error.message} ${res.headersSent}`);
      if (!res.headersSent) res.status(error.message === "not stored" ? 503 : 400).send(`Sorry: ${error.message}`);
      if (error.message !== "not stored") next(error);
    });
    const socket = open((server.address() as AddressInfo).port);
    socket.write(request, "latin1");
    if (halfCloses) socket.end();
    if (later !== undefined) {
      while (errors.length === 0) await sleep(1);
      await sleep(20);
      socket.write(later);
    }
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece as Buffer);
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
    return { raw: Buffer.concat(pieces).toString("latin1"), answer: readAnswer(Buffer.concat(pieces)), errors };
  }

  test.each(Object.entries(closings))(
    "P1: reaches the client whole, and its connection is closed: %s",
    async (_what, act) => {
      // A closing server leaves the connection of a response that it takes for one under way to its client.
      const request = GET;
      const bare = await ask(act, undefined, { request });
      const held = await ask(act, slow, { request });
      expect(held.answer).toBe(bare.answer);
      expect(held.errors).toEqual(bare.errors);
      expect(held.raw).toContain(OUR_COOKIE);
    },
  );

  const closes = Object.entries(closings).filter(([what]) => !what.startsWith("server.close"));
  test.each(closes)("P1: reaches a client that would go on using its connection: %s", async (_what, act) => {
    expect((await ask(act, slow)).answer).toBe((await ask(act, undefined)).answer);
  });

  test.each(["send", "write, end"])(
    "P1: reaches a client that has sent its last byte (half-closed): %s",
    async (what) => {
      const act: Act = (_req, res) => {
        if (what === "send") res.send("x");
        else res.end("x", () => undefined);
      };
      expect((await ask(act, slow, { halfCloses: true })).answer).toBe(
        (await ask(act, undefined, { halfCloses: true })).answer,
      );
    },
  );

  test("P1: reaches a client that then sends what is no request", async () => {
    const request = `${KEEP_ALIVE}NONSENSE\r\n\r\n`;
    const act: Act = (_req, res) => void res.send("x");
    expect((await ask(act, slow, { request })).answer).toBe((await ask(act, undefined, { request })).answer);
  });

  test("P1: reaches the client also where the second of two requests at once closes the connection", async () => {
    const request = KEEP_ALIVE + KEEP_ALIVE.replace("/", "/2");
    const act: Act = (req, res) => {
      if (req.url === "/2") req.socket.destroy();
      else res.send("x");
    };
    expect((await ask(act, slow, { request })).answer).toBe((await ask(act, undefined, { request })).answer);
  });

  test("P1: comes after the one before it, of two requests at once, and both are whole", async () => {
    const request = KEEP_ALIVE + GET.replace("/", "/2");
    const act: Act = (req, res) => {
      if (req.url === "/2") res.send("second");
      else setTimeout(() => res.send("first"), 10);
    };
    // The second waits longer for its save than the first takes.
    const held = await ask(act, (res) => new TestGate(() => sleep(res.req.url === "/2" ? 60 : 1)), { request });
    expect(held.answer).toBe((await ask(act, undefined, { request })).answer);
  });

  const notStored = () =>
    new TestGate(async () => {
      await sleep(20);
      throw Object.assign(new Error("not stored"), { status: 503 });
    });

  test.each(Object.entries(closings))(
    "P7: whose change was not stored gives way to the error page: %s",
    async (_what, act) => {
      // The app's own, or Express's where the app's has been asked for this request before: for the handler's error
      // (500), where that comes in the very turn in which the save fails.
      expect((await ask(act, notStored, { request: GET })).answer).toMatch(/^HTTP\/1.1 50[03] [^]*(not stored|broken)/);
    },
  );

  test.each(closes)("P7: and then its connection is closed as it was asked: %s", async (_what, act) => {
    const notStoredOnceClosed = (res: Response) =>
      new TestGate(async () => {
        while (res.socket?.writable === true) await sleep(1);
        throw Object.assign(new Error("not stored"), { status: 503 });
      });
    expect((await ask(act, notStoredOnceClosed)).answer).toMatch(
      /^HTTP\/1.1 50[03] [^]*Connection: close[^]*(not stored|broken)/,
    );
  });

  test("P7: whose change was refused at once gives way to one error page, where the body of the request is not read yet", async () => {
    const refused = () =>
      new TestGate(() => {
        throw Object.assign(new Error("not stored"), { status: 503 });
      });
    const request = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
    const { answer } = await ask(closings["res.json, then a throw"]!, refused, { request, later: "hello" });
    expect(answer).toMatch(/^HTTP\/1.1 503 [^]*not stored/);
  });

  test("P7: whose last change was not stored is broken off, also where its connection was to be closed", async () => {
    const act: Act = (_req, res) => {
      res.write("a");
      res.end("b");
      throw broken();
    };
    const lost = new TestGate(() => undefined, notStored().beforeHeaders.bind(notStored()));
    const { raw } = await ask(act, () => lost);
    expect(raw).toMatch(/^HTTP\/1.1 200 /);
    expect(raw).not.toMatch(/0\r\n\r\n$/);
    expect(lost.asked.at(-1)).toBe("lost: not stored");
  });
});
