import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { holdResponse } from "../../../lib/http/hold/hold-response";
import { exchange, GET, TestGate, withServer, wireText } from "./hold-response-app";

/** Makes `setHeader` of this object add a header of its own to each. */
function doubleHeaders(object: object): void {
  const response = object as ServerResponse;
  const setHeader = Reflect.get(response, "setHeader");
  response.setHeader = function (this: ServerResponse, name, value) {
    setHeader.call(this, `Also-${name}`, value);
    return setHeader.call(this, name, value);
  };
}

describe("a method that an app has put before Node's stays in use", () => {
  test("on the response that all of Express's inherit from", async () => {
    doubleHeaders(express.response);
    const app = express();
    app.use((_req, res, next) => {
      holdResponse(res, new TestGate(() => undefined), next);
      next();
    });
    app.use((_req, res) => void res.set("X-One", "1").end());
    expect(wireText(await withServer(app, (port) => exchange(port, GET)))).toContain("Also-X-One: 1\r\nX-One: 1\r\n");
  });

  test("on a response without Express", async () => {
    const server = createServer((_req, res) => {
      doubleHeaders(res);
      holdResponse(res, new TestGate(() => undefined), () => undefined);
      res.setHeader("X-One", "1");
      res.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const answer = await exchange((server.address() as AddressInfo).port, GET);
    server.close();
    expect(wireText(answer)).toContain("Also-X-One: 1\r\nX-One: 1\r\n");
  });
});
