import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import express from "express";
import type { Express } from "express";
import { send, startApp } from "../support/app";
import { closedGate } from "../support/gate";
import type { Gate } from "../support/gate";
import { watchedStore } from "../support/watched-store";

/** These have no types here. */
const load: (name: string) => any = createRequire(__filename);
const expressSession = load("express-session");

/** A running app, whichever library gives it sessions. */
interface Running {
  readonly url: string;
  /** What the library asks of its store, in order. */
  readonly calls: string[];
  /** What store calls of this name wait for. */
  readonly gates: Map<string, Gate>;
  /** Store calls of this name fail. */
  readonly broken: Set<string>;
  /** Only ours has it. */
  killSessionByUser?(user: string): Promise<number>;
  close(): Promise<unknown>;
}

/** A handler of `/slow` that waits here, once its session is loaded. */
let slow: Gate;
let running: Running;
beforeEach(() => (slow = closedGate()));
afterEach(() => running.close());

function routes(app: Express, logout: (req: any) => Promise<unknown>): void {
  app.get("/login", (req: any, res) => {
    req.session.user = "alice";
    res.send("signed in");
  });
  app.get("/logout", async (req, res) => {
    await logout(req);
    res.send("signed out");
  });
  app.get("/set", (req: any, res) => {
    Object.assign(req.session, req.query);
    res.redirect("/read");
  });
  app.get("/slow", async (req: any, res) => {
    await slow.pass();
    Object.assign(req.session, req.query);
    res.send("done");
  });
  app.get("/read", ({ session: { user, tea, cup } }: any, res) => res.json({ user, tea, cup }));
  app.get("/put", (req: any, res) => {
    Object.assign(req.session, { at: new Date(0), prices: new Map([["oolong", 7]]) });
    res.end();
  });
  app.get("/kinds", (req: any, res) => {
    res.json([req.session.at instanceof Date, req.session.prices instanceof Map]);
  });
}

async function startTheirs(): Promise<Running> {
  const calls: string[] = [];
  const gates = new Map<string, Gate>();
  const broken = new Set<string>();
  const store = new Proxy(new expressSession.MemoryStore(), {
    get(target, name: string) {
      const method = target[name];
      if (!["get", "set", "touch", "destroy"].includes(name)) return method;
      return async (...args: unknown[]) => {
        calls.push(name);
        await gates.get(name)?.pass();
        if (broken.has(name)) (args.at(-1) as (error: Error) => void)(new Error("the store is down"));
        else method.apply(target, args);
      };
    },
  });
  const app = express();
  app.set("env", "test"); // Express itself logs no error then.
  app.use(expressSession({ store, secret: "a secret of the tests", resave: false, saveUninitialized: false }));
  routes(app, (req) => new Promise((resolve) => req.session.destroy(resolve)));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => new Promise((resolve) => server.close(resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, gates, broken, close };
}

async function startOurs(): Promise<Running> {
  const gates = new Map<string, Gate>();
  const broken = new Set<string>();
  const { store, calls } = watchedStore((method) => {
    if (broken.has(method)) return Promise.reject(new Error("the store is down"));
    return gates.get(method)?.pass();
  });
  const userOf = (session: any) => session.get("user") ?? null;
  const app = await startApp((main) => routes(main, (req) => req.session.logout()), { store, userOf });
  const killSessionByUser = (user: string) => app.sessions.killSessionByUser(user);
  return { url: app.url, calls, gates, broken, killSessionByUser, close: () => app.close() };
}

const get = (path: string, cookie = "") => send("GET", running.url + path, { cookie });
const signIn = async () => (await get("/login")).cookie!;
const read = async (cookie: string): Promise<unknown> => JSON.parse((await get("/read", cookie)).body);

/** Resolves when the response's head is there, which is when a browser follows a redirect. */
async function head(path: string, cookie: string): Promise<IncomingMessage> {
  const request = http.get(running.url + path, { headers: { cookie }, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response.resume();
}

/** Each test tells what the README's table says of express-session. */
describe("express-session", () => {
  beforeEach(async () => {
    running = await startTheirs();
  });

  it("sends a redirect before the save, so that the page after it may see what was there before", async () => {
    const cookie = await signIn();
    const save = closedGate();
    running.gates.set("set", save);
    const { statusCode } = await head("/set?tea=oolong", cookie);
    expect([statusCode, await read(cookie)]).toEqual([302, { user: "alice" }]);
    save.open();
  });

  it("lets a slow request undo a logout", async () => {
    const cookie = await signIn();
    const answer = get("/slow?tea=oolong", cookie);
    await slow.reached;
    await get("/logout", cookie);
    expect(await read(cookie)).toEqual({});
    slow.open();
    expect((await answer).status).toBe(200);
    expect(await read(cookie)).toEqual({ user: "alice", tea: "oolong" });
  });

  it("loses one of two parallel changes", async () => {
    const cookie = await signIn();
    const answer = get("/slow?tea=oolong", cookie);
    await slow.reached;
    await get("/set?cup=blue", cookie);
    slow.open();
    await answer;
    expect(await read(cookie)).toEqual({ user: "alice", tea: "oolong" });
  });

  it("has no way to find a user's sessions: reading all of them is optional, and connect-pg-simple can't", () => {
    const methods = (store: { prototype: object }) => Object.getOwnPropertyNames(store.prototype);
    const required = ["constructor", "createSession", "load", "regenerate"];
    expect(methods(expressSession.Store).sort()).toEqual(required);
    expect(methods(load("connect-pg-simple")(expressSession))).not.toContain("all");
    expect(methods(load("connect-redis").RedisStore)).toContain("all");
  });

  it("returns Dates as strings, and Maps as empty objects", async () => {
    const cookie = (await get("/put")).cookie!;
    expect((await get("/kinds", cookie)).body).toBe("[false,false]");
  });

  it("sends a success for a change that the store did not take", async () => {
    const cookie = await signIn();
    running.broken.add("set");
    const { statusCode } = await head("/set?tea=oolong", cookie);
    expect([statusCode, await read(cookie)]).toEqual([302, { user: "alice" }]);
  });

  it("touches the store on every request", async () => {
    const cookie = await signIn();
    running.calls.length = 0;
    for (let n = 0; n < 10; n += 1) await read(cookie);
    expect(running.calls.filter((call) => call === "touch")).toHaveLength(10);
  });
});

describe("coatcheck, asked the same", () => {
  beforeEach(async () => {
    running = await startOurs();
  });

  it("P1: sends the redirect after the save", async () => {
    const cookie = await signIn();
    const save = closedGate();
    running.gates.set("update", save);
    const events: string[] = [];
    const response = head("/set?tea=oolong", cookie).then(() => events.push("redirect"));
    await save.reached;
    events.push(JSON.stringify(await read(cookie)));
    save.open();
    await response;
    expect([...events, await read(cookie)]).toEqual(['{"user":"alice"}', "redirect", { user: "alice", tea: "oolong" }]);
  });

  it("P2: refuses what a slow request wants to save after a logout", async () => {
    const cookie = await signIn();
    const answer = get("/slow?tea=oolong", cookie);
    await slow.reached;
    await get("/logout", cookie);
    slow.open();
    expect((await answer).status).toBe(409);
    expect(await read(cookie)).toEqual({});
  });

  it("P3: keeps both of two parallel changes", async () => {
    const cookie = await signIn();
    const answer = get("/slow?tea=oolong", cookie);
    await slow.reached;
    await get("/set?cup=blue", cookie);
    slow.open();
    await answer;
    expect(await read(cookie)).toEqual({ user: "alice", tea: "oolong", cup: "blue" });
  });

  it("P2: finds a user's sessions and ends them, also under a slow request", async () => {
    const [cookie, elsewhere] = [await signIn(), await signIn()];
    const answer = get("/slow?tea=oolong", cookie);
    await slow.reached;
    expect(await running.killSessionByUser?.("alice")).toBe(2);
    slow.open();
    expect((await answer).status).toBe(409);
    expect([await read(cookie), await read(elsewhere)]).toEqual([{}, {}]);
  });

  it("P9: returns Dates and Maps", async () => {
    const cookie = (await get("/put")).cookie!;
    expect((await get("/kinds", cookie)).body).toBe("[true,true]");
  });

  it("P7: sends 503 for a change that the store did not take", async () => {
    const cookie = await signIn();
    running.broken.add("update");
    expect((await get("/set?tea=oolong", cookie)).status).toBe(503);
    expect(await read(cookie)).toEqual({ user: "alice" });
  });

  it("P4: writes nothing where nothing has changed", async () => {
    const cookie = await signIn();
    running.calls.length = 0;
    for (let n = 0; n < 10; n += 1) await read(cookie);
    expect(running.calls).toEqual(Array<string>(10).fill("load"));
  });
});
