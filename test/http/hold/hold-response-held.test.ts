import { once } from "node:events";
import { ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { createReadStream } from "node:fs";
import type { Response } from "express";
import express from "express";
import { headersGone, holdResponse } from "../../../lib/http/hold/hold-response";
import { eventually } from "../../support/eventually";
import { closedGate, signal } from "../../support/gate";
import {
  addOurCookie,
  exchange,
  GET,
  heldApp,
  open,
  OUR_COOKIE,
  storing,
  TestGate,
  withServer,
  wireText,
} from "./hold-response-app";

const firstBytes: Record<string, (res: Response) => unknown> = {
  redirect: (res) => res.redirect("/next"),
  end: (res) => res.end("x"),
  write: (res) => res.write("x"),
  writeHead: (res) => res.writeHead(200).write("x"),
  flushHeaders: (res) => res.flushHeaders(),
  pipe: (res) => createReadStream(__filename).pipe(res),
  sendFile: (res) => res.sendFile(__filename),
};

describe("P1: saved before sent", () => {
  test.each(Object.entries(firstBytes))("with a 500 ms save, zero bytes of a %s before it", async (_name, send) => {
    const log: string[] = [];
    const app = heldApp(() => new TestGate(storing(log, 500)), send);
    await withServer(app, async (port) => {
      const socket = open(port);
      socket.once("data", () => log.push("bytes"));
      socket.write(GET);
      await once(socket, "data");
      socket.destroy();
    });
    expect(log).toEqual(["stored", "bytes"]);
  });

  test("informational answers do not wait, and do not ask the gate", async () => {
    const log: string[] = [];
    const gate = new TestGate(storing(log, 100));
    const app = heldApp(
      () => gate,
      async (res) => {
        res.writeEarlyHints({ link: "</a.css>; rel=preload" });
        res.writeProcessing();
        await sleep(20);
        log.push(`asked ${gate.asked.length}`);
        res.end("x");
      },
    );
    await withServer(app, async (port) => {
      const socket = open(port);
      socket.on("data", (bytes) => log.push(bytes.toString("latin1").slice(0, 12)));
      socket.write(GET);
      await once(socket, "close");
    });
    expect(log[0]).toBe("HTTP/1.1 103");
    expect(log.slice(-3)).toEqual(["asked 0", "stored", "HTTP/1.1 200"]);
  });

  test("a change made after the first byte is stored before end", async () => {
    const log: string[] = [];
    const gate = new TestGate(() => undefined, storing(log, 50));
    const app = heldApp(
      () => gate,
      (res) => {
        res.write("first");
        res.end("last");
        log.push(`ended ${res.writableEnded}`);
      },
    );
    const answer = await withServer(app, async (port) => {
      const socket = open(port);
      const pieces: string[] = [];
      socket.on("data", (bytes) => {
        pieces.push(bytes.toString("latin1"));
        for (const word of ["first", "last"]) if (bytes.includes(word)) log.push(word);
      });
      socket.write(GET);
      await once(socket, "close");
      return pieces.join("");
    });
    expect(log).toEqual(["ended true", "first", "stored", "last"]);
    expect(answer).toMatch(/\r\n0\r\n\r\n$/);
    expect(gate.asked).toEqual(["headers", "end"]);
  });

  test("writes and an end that waited for the headers ask the gate once more before the end", async () => {
    const gate = new TestGate(
      () => sleep(10),
      () => sleep(10),
    );
    const app = heldApp(
      () => gate,
      (res) => {
        res.write("a");
        res.end("b");
      },
    );
    const answer = await withServer(app, (port) => exchange(port, GET));
    // Two chunks, or from Node 26 on, one.
    expect(wireText(answer)).toMatch(/\r\n\r\n(1\r\na\r\n1\r\nb|2\r\nab)\r\n0\r\n\r\n$/);
    expect(gate.asked).toEqual(["headers", "end"]);
  });

  test("an end that sends everything asks once", async () => {
    const gate = new TestGate(() => sleep(10));
    await withServer(
      heldApp(
        () => gate,
        (res) => res.end("x"),
      ),
      (port) => exchange(port, GET),
    );
    expect(gate.asked).toEqual(["headers"]);
  });
});

describe("the headers of a held response", () => {
  test("are open to the gate while the handler sees them as sent", async () => {
    const seen: unknown[] = [];
    const app = heldApp(
      (res) =>
        new TestGate(
          async () => {
            res.setHeader("X-Gate", "1");
            await sleep(10);
            seen.push(headersGone(res));
          },
          undefined,
          res,
          () => {
            res.appendHeader("X-Gate", "2");
            res.removeHeader("X-Powered-By");
            addOurCookie(res);
          },
        ),
      async (res) => {
        seen.push(headersGone(res));
        res.cookie("theirs", "1");
        res.end("x");
        seen.push(res.headersSent, headersGone(res));
        await sleep(2);
        expect(() => res.setHeader("X-Handler", "1")).toThrow(
          expect.objectContaining({ code: "ERR_HTTP_HEADERS_SENT" }),
        );
        await once(res, "finish");
        seen.push(headersGone(res), Object.getOwnPropertyNames(res).includes("headersSent"));
      },
    );
    const answer = wireText(
      await withServer(app, async (port) => {
        const bytes = await exchange(port, GET);
        while (seen.length < 6) await sleep(1);
        return bytes;
      }),
    );
    expect(answer).toMatch(/X-Gate: 1\r\nX-Gate: 2\r\n/);
    expect(answer).toMatch(/Set-Cookie: theirs=1; Path=\/\r\n/);
    expect(answer).not.toMatch(/X-Handler|X-Powered-By/);
    expect(seen).toEqual([false, true, false, false, true, false]);
  });

  test("keep the handler's Set-Cookie, Vary and Cache-Control of writeHead in the gate's sight", async () => {
    const constant = ["a=1", "b=2"];
    let seen: unknown;
    const app = heldApp(
      (res) =>
        new TestGate(() => {
          seen = [res.getHeader("Cache-Control"), res.getHeader("Vary")];
          res.appendHeader("Set-Cookie", OUR_COOKIE);
          return undefined;
        }),
      (res) => res.writeHead(200, { "Set-Cookie": constant, "Cache-Control": "public", Vary: "Accept" }).end(),
    );
    const answer = (await withServer(app, (port) => exchange(port, GET))).toString();
    expect(seen).toEqual(["public", "Accept"]);
    expect(answer).toContain(`Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nSet-Cookie: ${OUR_COOKIE}\r\n`);
    expect(constant).toEqual(["a=1", "b=2"]);
  });

  test("are gone, for a response that nobody holds, when Node says so", () => {
    const res = new ServerResponse({ method: "GET" } as never);
    expect(headersGone(res)).toBe(false);
    res.writeHead(200);
    expect(headersGone(res)).toBe(true);
  });
});

describe("two gates on one response", () => {
  test("must both be passed, whichever is the slower", async () => {
    const log: string[] = [];
    const app = express();
    for (const ms of [40, 10]) {
      app.use((_req, res, next) => {
        holdResponse(res, new TestGate(storing(log, ms)), next);
        next();
      });
    }
    app.use((_req, res) => void res.send("x"));
    await withServer(app, async (port) => {
      const socket = open(port);
      socket.once("data", () => log.push("bytes"));
      socket.write(GET);
      await once(socket, "close");
    });
    expect(log).toEqual(["stored", "stored", "bytes"]);
  });

  test("fail together, after the slower has stored", async () => {
    const log: string[] = [];
    const app = express();
    app.use((_req, res, next) => {
      holdResponse(res, new TestGate(storing(log, 30)), next);
      holdResponse(res, new TestGate(() => Promise.reject(new Error("not stored"))), next);
      next();
    });
    app.use((_req, res) => void res.send("x"));
    app.use((error: Error, _req: unknown, res: Response, _next: unknown) => {
      log.push(error.message);
      res.status(503).send("sorry");
    });
    const answer = await withServer(app, (port) => exchange(port, GET));
    expect(wireText(answer)).toMatch(/^HTTP\/1.1 503 [^]*sorry$/);
    expect(log).toEqual(["stored", "not stored"]);
  });
});

describe("a client that leaves", () => {
  test.each(["end", "write"] as const)(
    "while the response is held by its %s: the save goes on, nothing breaks",
    async (send) => {
      const log: string[] = [];
      const save = closedGate();
      let response: Response | undefined;
      const app = heldApp(
        () => new TestGate(() => save.pass().then(() => void log.push("stored"))),
        (res) => {
          response = res;
          res.once("close", () => {
            log.push("closed");
            save.open();
          });
          if (send === "end") res.end("x");
          else res.write("x", (error) => log.push((error as NodeJS.ErrnoException | null)?.code ?? "written"));
        },
      );
      const expected = send === "end" ? ["stored", "closed"] : ["closed", "stored", "ERR_STREAM_DESTROYED"];
      await withServer(app, async (port) => {
        const socket = open(port);
        socket.write(GET);
        await save.reached;
        socket.destroy();
        // Who has sent all may still be there to read a complete answer, so its connection is closed after that.
        if (send === "end") save.open();
        await eventually(() => log.length >= expected.length);
        // What would come after it has had its turn by then.
        await nextTurn();
      });
      expect(log).toEqual(expected);
      expect(response?.listenerCount("drain")).toBe(0);
    },
  );

  test("because the handler destroys the socket", async () => {
    const log: string[] = [];
    const save = closedGate();
    const ended = signal();
    const app = heldApp(
      () => new TestGate(() => save.pass().then(() => void log.push("stored"))),
      async (res) => {
        res.write("x");
        res.once("close", () => {
          log.push("closed");
          save.open();
        });
        res.socket?.destroy();
        await eventually(() => log.includes("stored"));
        res.end();
        ended.give();
      },
    );
    const answer = await withServer(app, async (port) => {
      const bytes = await exchange(port, GET).catch(() => Buffer.alloc(0));
      await ended.given;
      await nextTurn();
      return bytes;
    });
    expect(answer).toHaveLength(0);
    expect(log).toEqual(["closed", "stored"]);
  });
});

test("a server that closes while a response is held still answers", async () => {
  const app = express();
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  app.use((_req, res, next) => {
    holdResponse(res, new TestGate(() => sleep(50)), next);
    next();
  });
  app.use((_req, res) => {
    res.send("x");
    server.close();
  });
  const { port } = server.address() as { port: number };
  expect(wireText(await exchange(port, GET))).toMatch(/\r\n\r\nx$/);
});

test("what a handler writes while held is told to wait from the high-water mark on, and then to go on", async () => {
  const seen: unknown[] = [];
  const app = heldApp(
    () => new TestGate(() => sleep(20)),
    (res) => {
      seen.push(res.write("a"), res.writableNeedDrain);
      seen.push(res.write(Buffer.alloc(res.writableHighWaterMark)), res.writableNeedDrain);
      res.once("drain", () => {
        seen.push("drain", res.writableNeedDrain);
        res.end();
      });
    },
  );
  await withServer(app, (port) => exchange(port, GET));
  expect(seen).toEqual([true, false, false, true, "drain", false]);
});

test("a response that is none of Node's keeps its methods while its save takes time", async () => {
  const headers: Record<string, unknown> = {};
  const sent: unknown[] = [];
  const res = {
    setHeader: (name: string, value: unknown) => (headers[name] = value),
    writeHead: (...args: unknown[]) => sent.push(args),
    write: () => true,
    end: () => undefined,
  } as unknown as ServerResponse;
  const gate = new TestGate(() => sleep(10));
  holdResponse(res, gate, () => undefined);
  res.writeHead(200);
  res.setHeader("X-One", "1");
  await sleep(30);
  expect([headers, sent, gate.asked]).toEqual([{ "X-One": "1" }, [[200]], ["headers"]]);
});
