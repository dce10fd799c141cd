import http from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import type { Request, RequestHandler, Response } from "express";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/testing";
import { EXPRESSES, send } from "../support/app";

/** Until V8 12 (Node 22, 23), no two objects have one shape to which a property was added after their prototypes were changed. */
const isNeeded = Number.parseInt(process.versions.v8, 10) < 13;

/** V8's own answer to whether two objects have one shape. */
function haveOneShape([first, second]: object[]): boolean {
  setFlagsFromString("--allow-natives-syntax");
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a word of V8's that no parser of TypeScript knows
    return new Function("first", "second", "return %HaveSameMap(first, second)")(first, second) as boolean;
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}

describe.each(EXPRESSES)("the shapes of requests and responses, on %s", (_name, express) => {
  /** Whether two clients' requests have one shape, and their responses, once a handler behind this middleware has added properties to them. */
  async function shapesBehind(middleware: RequestHandler) {
    const requests: Request[] = [];
    const responses: Response[] = [];
    const app = express().use(middleware);
    app.get("/", (req, res) => {
      requests.push(Object.assign(req, { user: "alice" }));
      responses.push(Object.assign(res, { startedAt: 1 }));
      res.send("body");
    });
    const server = http.createServer(app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (let n = 0; n < 2; n += 1) expect((await send("GET", url)).body).toBe("body");
    await new Promise((resolve) => server.close(resolve));
    return { requests: haveOneShape(requests), responses: haveOneShape(responses) };
  }

  it("are one for all requests, and one for all responses, behind the middleware", async () => {
    const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
    expect(await shapesBehind(sessions.middleware())).toEqual({ requests: true, responses: true });
    await sessions.close();
  });

  it(`are ${isNeeded ? "each their own" : "the same"} without it in this V8, as the middleware takes it`, async () => {
    expect(await shapesBehind((_req, _res, next) => next())).toEqual({ requests: !isNeeded, responses: !isNeeded });
  });
});
