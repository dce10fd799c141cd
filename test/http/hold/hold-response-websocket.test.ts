import { Server } from "engine.io";
import { Socket } from "engine.io-client";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Response } from "express";
import { setTimeout as sleep } from "node:timers/promises";
import { headersGone, holdResponse } from "../../../lib/http/hold/hold-response";
import { eventually } from "../../support/eventually";
import { addOurCookie, OUR_COOKIE, TestGate } from "./hold-response-app";

type Transport = "websocket" | "polling";

/**
 * Opens a connection through `engine.use`, which for a websocket hands its middlewares a response that is none of
 * Node's.
 */
async function connectThrough(transport: Transport, gateFor: (res: Response) => TestGate, awaited = "open") {
  const log: unknown[] = [];
  let gate: TestGate | undefined;
  const httpServer = createServer().listen(0, "127.0.0.1");
  await once(httpServer, "listening");
  const engine = new Server();
  engine.attach(httpServer);
  engine.use((_req: unknown, res: Response, next: (error?: unknown) => void) => {
    gate ??= gateFor(res);
    holdResponse(res, gate, next);
    log.push(headersGone(res));
    next();
  });
  engine.on("headers", (headers: Record<string, unknown>) => log.push(headers["Set-Cookie"] ?? headers["set-cookie"]));
  const { port } = httpServer.address() as AddressInfo;
  const client = new Socket(`http://127.0.0.1:${port}`, { transports: [transport] });
  const opened = await new Promise<string>((resolve) => {
    client.on("open", () => resolve("open"));
    client.on("error", () => resolve("error"));
  });
  await eventually(() => client.readyState === awaited);
  const state = client.readyState;
  client.close();
  engine.close();
  httpServer.closeAllConnections();
  await new Promise((resolve) => httpServer.close(resolve));
  return { opened, state, log, asked: gate?.asked };
}

describe("a response that Engine.IO hands its middlewares", () => {
  test("of a websocket: the gate is asked as the headers go, and its cookie goes with them", async () => {
    const { opened, state, log, asked } = await connectThrough(
      "websocket",
      (res) => new TestGate(() => undefined, undefined, res, addOurCookie),
    );
    expect([opened, state, asked]).toEqual(["open", "open", ["headers"]]);
    expect(log).toContainEqual([OUR_COOKIE]);
  });

  test("of a websocket whose save takes time: it opens all the same", async () => {
    const { opened, state, asked } = await connectThrough("websocket", () => new TestGate(() => sleep(10)));
    expect([opened, state, asked]).toEqual(["open", "open", ["headers"]]);
  });

  test("of a websocket whose save fails: it is closed, and the error told", async () => {
    const { state, asked } = await connectThrough(
      "websocket",
      () => new TestGate(() => Promise.reject(new Error("not stored"))),
      "closed",
    );
    expect([state, asked]).toEqual(["closed", ["headers", "lost: not stored"]]);
  });

  test("of a poll: it is held like any other", async () => {
    const { opened, asked } = await connectThrough(
      "polling",
      (res) => new TestGate(() => sleep(10), undefined, res, addOurCookie),
    );
    expect(opened).toBe("open");
    expect(asked).toContain("headers");
  });
});
