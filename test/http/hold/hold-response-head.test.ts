import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { NextFunction, Request, Response } from "express";
import { setTimeout as sleep } from "node:timers/promises";
import { holdResponse } from "../../../lib/http/hold/hold-response";
import { exchange, GET, heldApp, storing, TestGate, withServer, wireText } from "./hold-response-app";

test.each(["end", "write", "flushHeaders"] as const)(
  "a listener of headers that is mounted after us has its turn before the gate, at %s, and can still change what is stored",
  async (send) => {
    const log: string[] = [];
    const listen = jest.requireActual<(res: Response, listener: () => void) => void>("on-headers");
    const app = heldApp(
      () =>
        new TestGate(() => {
          log.push("asked");
          return sleep(10);
        }),
      (res) => {
        listen(res, () => log.push("listener"));
        res[send]("x");
        log.push("sent");
        if (send !== "end") res.end();
      },
    );
    await withServer(app, (port) => exchange(port, GET));
    expect(log).toEqual(["listener", "asked", "sent"]);
  },
);

test("what has no body is told to wait for nothing, as Node does", async () => {
  const app = heldApp(
    () => new TestGate(() => sleep(20)),
    (res) => {
      res.statusCode = 204;
      expect(res.write(Buffer.alloc(1_000_000))).toBe(true);
      expect(res.writableNeedDrain).toBe(false);
      res.once("drain", () => res.destroy());
      res.end();
    },
  );
  expect(wireText(await withServer(app, (port) => exchange(port, GET)))).toMatch(/^HTTP\/1.1 204 /);
});

test("what Node refuses to send once its headers are gone breaks the answer off", async () => {
  const app = heldApp(
    () => new TestGate(() => sleep(10)),
    (res) => {
      res.strictContentLength = true;
      res.set("Content-Length", "5");
      res.write("ab");
      res.end("too much");
    },
  );
  expect(wireText(await withServer(app, (port) => exchange(port, GET)))).toMatch(/^(HTTP\/1.1 200 [^]*ab)?$/);
});

test("a head that Node refuses leaves the save that was begun for it to the next one", async () => {
  const log: string[] = [];
  const gate = new TestGate(storing(log, 20));
  const app = heldApp(
    () => gate,
    (res) => {
      res.statusCode = 42;
      expect(() => res.end("x")).toThrow("Invalid status code: 42");
      res.statusCode = 201;
      res.end("y");
    },
  );
  expect(wireText(await withServer(app, (port) => exchange(port, GET)))).toMatch(/^HTTP\/1.1 201 [^]*y$/);
  expect([gate.asked, log]).toEqual([
    ["headers", "headers"],
    ["stored", "stored"],
  ]);
});

test("P7: a head that Node refuses, whose save then fails: the next one is lost for it", async () => {
  let times = 0;
  const app = heldApp(
    () => new TestGate(() => ((times += 1) === 1 ? Promise.reject(new Error("not stored")) : undefined)),
    (res) => {
      res.statusCode = 42;
      expect(() => res.end("x")).toThrow("Invalid status code: 42");
      res.statusCode = 201;
      res.end("y");
    },
  );
  app.use(
    (error: Error, _req: Request, res: Response, _next: NextFunction) => void res.status(503).send(error.message),
  );
  expect(wireText(await withServer(app, (port) => exchange(port, GET)))).toMatch(/^HTTP\/1.1 503 [^]*not stored$/);
});

test("without Express, too, a held response shows its head and its end, and its connection is closed after it", async () => {
  const seen: unknown[] = [];
  const server = createServer((req, res) => {
    holdResponse(res, new TestGate(() => sleep(20)), () => undefined);
    res.end("x");
    seen.push(res.headersSent, res.writableEnded, Reflect.get(res, "finished"), Reflect.get(res, "_header"));
    req.socket.destroy();
    seen.push(req.socket.destroyed);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const answer = await exchange((server.address() as AddressInfo).port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  server.close();
  expect(wireText(answer)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nx$/);
  expect(seen).toEqual([true, true, true, expect.stringMatching(/^HTTP\/1.1 200 OK\r\n[^]*Content-Length: 1/), true]);
});
