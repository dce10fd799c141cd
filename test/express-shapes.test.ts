import http from "node:http";
import type { RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import type { Request, RequestHandler, Response } from "express";
import { expressShapes } from "coatcheck/express-shapes";
import { Sessions } from "../lib/sessions";
import { MemoryStore } from "../lib/testing/index";
import { EXPRESSES, send } from "./support/app";

/**
 * Until V8 12 (Node 22, 23), no two objects have one shape to which a property was added after their prototypes were
 * changed.
 */
const isNeeded = Number.parseInt(process.versions.v8, 10) < 13;

const REQUESTS = 20;

/** Of how many of these objects V8 itself says that they have the shape of the one before. */
function sameShapes(objects: readonly object[]): number {
  setFlagsFromString("--allow-natives-syntax");
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a word of V8's that no parser of TypeScript knows
    const haveSameMap = new Function("first", "second", "return %HaveSameMap(first, second)") as (
      first: object,
      second: object,
    ) => boolean;
    return objects.slice(1).filter((object, before) => haveSameMap(objects[before]!, object)).length;
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}

/** Has an app answer so many requests, each on a connection of its own. */
async function answer(app: RequestListener, count: number): Promise<void> {
  const server = http.createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (let n = 0; n < count; n += 1) expect((await send("GET", url)).body).toBe("body");
  await new Promise((resolve) => server.close(resolve));
}

/** The properties that stay as they are while a request is served, with how they are defined. */
function ownOf(object: object): object {
  const own = Object.getOwnPropertyDescriptors(object);
  return Object.fromEntries(
    Object.entries(own).filter(([, { value }]) => typeof value !== "object" && typeof value !== "function"),
  );
}

describe.each(EXPRESSES)("the shapes of requests and responses, on %s", (_name, express) => {
  /**
   * How many requests have the shape of the one before, and how many responses, once a handler behind this middleware
   * has added properties to them.
   */
  async function shapesBehind(...middlewares: RequestHandler[]) {
    const requests: Request[] = [];
    const responses: Response[] = [];
    const app = express().use(...middlewares);
    app.get("/", (req, res) => {
      requests.push(Object.assign(req, { user: "alice" }));
      responses.push(Object.assign(res, { startedAt: 1 }));
      res.send("body");
    });
    await answer(app, REQUESTS);
    return [sameShapes(requests), sameShapes(responses)];
  }

  // Not all of them: V8 finds the shape in a small cache, in which that of any other object may take its place.
  const MOST = REQUESTS / 2;

  // In one app of 64, requests and responses have one place in that cache between them; three such apps of four are one
  // in 65,000.
  it("are one for most requests, and one for most responses, behind the middleware, in at least two apps of four", async () => {
    const fewest: number[] = [];
    for (let app = 0; app < 4; app += 1) fewest.push(Math.min(...(await shapesBehind(expressShapes()))));
    expect(fewest.filter((same) => same > MOST).length).toBeGreaterThanOrEqual(2);
  });

  it("are so too where the session middleware comes after it", async () => {
    const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
    const fewest: number[] = [];
    for (let app = 0; app < 4; app += 1) {
      fewest.push(Math.min(...(await shapesBehind(expressShapes(), sessions.middleware()))));
    }
    expect(fewest.filter((same) => same > MOST).length).toBeGreaterThanOrEqual(2);
    await sessions.close();
  });

  it("are left alone by the session middleware", async () => {
    const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
    for (const same of await shapesBehind(sessions.middleware())) {
      if (isNeeded) expect(same).toBe(0);
      else expect(same).toBeGreaterThan(MOST);
    }
    await sessions.close();
  });

  it("are changed by the middleware without a change of any plain property that was there before", async () => {
    const before: object[] = [];
    const after: object[] = [];
    const app = express()
      .use((req, res, next) => {
        res.sendDate = false;
        before.push(ownOf(req), ownOf(res));
        next();
      })
      .use(expressShapes());
    app.get("/", (req, res) => {
      after.push(ownOf(req), ownOf(res));
      res.send("body");
    });
    await answer(app, 1);
    expect(after).toMatchObject(before);
    const plain = { writable: true, enumerable: true, configurable: true };
    expect(before).toMatchObject([
      { httpVersionMajor: { value: 1, ...plain } },
      { sendDate: { value: false, ...plain } },
    ]);
  });

  it(`are ${isNeeded ? "each their own" : "the same"} without it in this V8, as the middleware takes it`, async () => {
    for (const same of await shapesBehind((_req, _res, next) => next())) {
      if (isNeeded) expect(same).toBe(0);
      else expect(same).toBeGreaterThan(MOST);
    }
  });
});

describe("a request and a response that an app has changed", () => {
  const like = <T extends object>(prototype: T, properties: PropertyDescriptorMap): T =>
    Object.create(Object.create(prototype) as T, properties) as T;
  const request = (properties: PropertyDescriptorMap = {}) => like(http.IncomingMessage.prototype, properties);
  const response = (properties: PropertyDescriptorMap = {}) => like(http.ServerResponse.prototype, properties);

  it("keep properties that are defined in a way of their own", () => {
    const [req, res] = [
      request({ httpVersionMajor: { value: 3, writable: false, enumerable: false, configurable: true } }),
      response({ sendDate: { get: () => true, set: () => undefined, enumerable: true, configurable: true } }),
    ];
    const before = [req, res].map((object) => Object.getOwnPropertyDescriptors(object));
    expressShapes()(req, res, () => undefined);
    expect([req, res].map((object) => Object.getOwnPropertyDescriptors(object))).toEqual(before);
  });

  it.each([
    ["frozen", Object.freeze],
    ["sealed", Object.seal],
    ["closed for new properties", Object.preventExtensions],
  ])("stay whole where they are %s", (_name, close) => {
    const value = { value: 1, writable: true, enumerable: true, configurable: true };
    const [req, res] = [close(request({ httpVersionMajor: value })), close(response({ sendDate: value }))];
    expressShapes()(req, res, () => undefined);
    expect([Object.keys(req), Object.keys(res)]).toEqual([["httpVersionMajor"], ["sendDate"]]);
  });

  it("get no property that they only inherit", () => {
    const [req, res] = [request(), response()];
    expressShapes()(req, res, () => undefined);
    expect([Reflect.ownKeys(req), Reflect.ownKeys(res)]).toEqual([[], []]);
  });
});
