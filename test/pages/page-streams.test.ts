import { once } from "node:events";
import { Agent, get } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { MemoryStore } from "../../lib/stores/memory-store";
import type { SessionStore } from "../../lib/stores/store";
import { send } from "../support/app";
import { eventStream } from "../support/event-stream";
import type { EventStream } from "../support/event-stream";
import { describeOnEveryStore } from "../support/every-store";
import { eventually } from "../support/eventually";
import { FaultyStore } from "../support/faulty-store";
import { startPagesApp } from "../support/pages-app";
import type { PagesApp } from "../support/pages-app";
import { watchedStore } from "../support/watched-store";

const ID = "0123456789abcdef0123456789abcdef";

const FAKE_INTERVALS_ONLY = [
  ...(["Date", "hrtime", "nextTick", "performance", "queueMicrotask", "setImmediate", "clearImmediate"] as const),
  ...(["setTimeout", "clearTimeout"] as const),
];

let apps: PagesApp[] = [];
let now: number;
beforeEach(() => (now = Date.now()));
afterEach(async () => {
  for (const app of apps) await app.close();
  apps = [];
});

async function start(store: SessionStore, options: object = {}, pages: object = {}): Promise<PagesApp> {
  const app = await startPagesApp({ store, now: () => now, killCheckInterval: 100, ...options }, pages);
  apps.push(app);
  return app;
}

/** A user with one open page and its stream. */
async function visitor(app: PagesApp, user = "alice"): Promise<{ cookie: string; id: string; stream: EventStream }> {
  const cookie = (await send("GET", `${app.url}/login/${user}`)).cookie!;
  const headers = { cookie, "content-type": "application/json" };
  const body = JSON.stringify({ id: ID, path: "/", title: "" });
  const opened = await send("POST", `${app.url}/session/pages-open`, headers, body);
  const { session: id } = JSON.parse(opened.body) as { session: string };
  return { cookie, id, stream: await eventStream(`${app.url}/session/pages-events`, { cookie }) };
}

describeOnEveryStore("a page's stream", (every) => {
  it("tells at once that the session was killed, by whom and why in words, and ends", async () => {
    const app = await start(await every.open({ now: () => now }), { killCheckInterval: "1h" });
    const { stream } = await visitor(app);
    expect(stream.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    await app.sessions.killSessionByUser("alice", { message: "Closed for\ntoday." });
    expect(await stream.has(1)).toMatchObject([
      { event: "ended", data: { reason: "killed", message: "Closed for\ntoday.", text: "Closed for\ntoday." } },
    ]);
    await stream.ended;
    expect(app.errors).toEqual([]);
    await eventually(() => app.sessions.pages.streams === 0);
  });

  it("of another instance tells it too, and a message", async () => {
    const store = await every.open({ now: () => now });
    const [app, other] = [await start(store), await start(store)];
    const { id, stream } = await visitor(app);
    expect(await other.sessions.pages.send(id, "order", { number: 1 })).toBe(1);
    await stream.has(1);
    await other.sessions.kill(id);
    expect(await stream.has(2)).toMatchObject([
      { event: "message", data: { event: "order", data: { number: 1 } } },
      { event: "ended", data: { reason: "killed" } },
    ]);
  });
});

describe("a page's stream", () => {
  let store: FaultyStore;
  beforeEach(() => (store = new FaultyStore(new MemoryStore({ now: () => now }))));

  /** Waits until sessions were looked at twice more, so at least once in whole. */
  async function checked(): Promise<void> {
    const before = store.calls.load;
    await eventually(() => store.calls.load >= before + 2);
  }

  it("tells of a logout, a login and an expiry", async () => {
    const app = await start(store);
    const [alice, bob, carol] = [await visitor(app, "alice"), await visitor(app, "bob"), await visitor(app, "carol")];
    await send("GET", `${app.url}/logout`, { cookie: alice.cookie });
    expect(await alice.stream.has(1)).toMatchObject([{ event: "ended", data: { reason: "logout" } }]);
    await send("GET", `${app.url}/login/dave`, { cookie: bob.cookie });
    expect(await bob.stream.has(1)).toMatchObject([{ event: "ended", data: { reason: "login" } }]);
    now += 3_600_000;
    expect(await carol.stream.has(1)).toMatchObject([{ event: "ended", data: { reason: "expired" } }]);
  });

  it("warns a minute before the idle end, once, and takes it back where the session is used", async () => {
    const app = await start(store);
    const { cookie, stream } = await visitor(app);
    now += 59 * 60_000 + 10_000;
    expect(await stream.has(1)).toMatchObject([{ event: "expiring", data: { seconds: 50 } }]);
    await send("POST", `${app.url}/session/pages-stay`, { cookie });
    await stream.has(2);
    now += 60_000;
    await checked();
    expect(stream.events.map(({ event }) => event)).toEqual(["expiring", "renewed"]);
  });

  it("does not warn of the absolute end, which nothing moves", async () => {
    const app = await start(store, { idleTimeout: "2h", absoluteTimeout: "1h" });
    const { stream } = await visitor(app);
    now += 59.5 * 60_000;
    await checked();
    expect(stream.events).toEqual([]);
    now += 60_000;
    expect(await stream.has(1)).toMatchObject([{ event: "ended", data: { reason: "expired" } }]);
  });

  it.each<[string, () => unknown, object]>([
    ["throws", () => JSON.parse("{"), { name: "SyntaxError" }],
    ["returns a promise", () => Promise.resolve({}), { code: "SESSION_CONFIG" }],
    ["returns nothing", () => undefined, { name: "TypeError" }],
    ["leaves out the button", () => ({ title: "a", text: "b" }), { code: "SESSION_CONFIG" }],
  ])("is in English where the option texts %s, and error says why", async (_, texts, error) => {
    const app = await start(store, {}, { texts });
    const { cookie, id, stream } = await visitor(app);
    now += 59 * 60_000 + 10_000;
    expect(await stream.has(1)).toMatchObject([{ event: "expiring", data: { title: "Are you still there?" } }]);
    await app.sessions.kill(id);
    expect((await stream.has(2))[1]).toMatchObject({ event: "ended", data: { text: "You were signed out." } });
    const body = JSON.stringify({ id: ID, session: id, path: "/", title: "" });
    const { body: told } = await send("POST", `${app.url}/session/pages-open`, { cookie }, body);
    expect(JSON.parse(told)).toMatchObject({ ended: { text: "You were signed out." } });
    expect(app.errors).toMatchObject([error, error, error]);
  });

  it("has the words of the option texts, and no more of it", async () => {
    const texts = () => ({ title: "Weg", text: "Weg ist weg.", button: "Gut", event: "message", secret: 1 });
    const app = await start(store, {}, { texts });
    const { id, stream } = await visitor(app);
    await app.sessions.kill(id, { message: "Bye." });
    expect((await stream.has(1))[0]!.data).toEqual({
      ...{ event: "ended", reason: "killed", message: "Bye." },
      ...{ title: "Weg", text: "Weg ist weg.", button: "Gut" },
    });
  });

  it("is one of twenty at most for a session: the oldest gives way", async () => {
    const app = await start(store);
    const { cookie, stream } = await visitor(app);
    for (let n = 0; n < 20; n += 1) await eventStream(`${app.url}/session/pages-events`, { cookie });
    await stream.ended;
    await eventually(() => app.sessions.pages.streams === 20);
  });

  it("is not kept for a client that went while its session was loaded", async () => {
    const slow = watchedStore((method) => (method === "load" ? sleep(50) : undefined), store);
    const app = await start(slow.store, { killCheckInterval: "1h" });
    const { cookie, stream } = await visitor(app);
    stream.close();
    await eventually(() => app.sessions.pages.streams === 0);
    slow.calls.length = 0;
    const request = get(`${app.url}/session/pages-events`, { headers: { cookie }, agent: false });
    request.on("error", () => undefined);
    await eventually(() => slow.calls.length > 0);
    request.destroy();
    await sleep(200);
    expect(app.sessions.pages.streams).toBe(0);
  });

  it("is never silent for longer than twenty seconds, so that no proxy takes it for dead", async () => {
    jest.useFakeTimers({ doNotFake: FAKE_INTERVALS_ONLY });
    try {
      const app = await start(store, { killCheckInterval: "1h" });
      const { stream } = await visitor(app);
      for (let pings = 1; pings <= 3; pings += 1) {
        jest.advanceTimersByTime(20_000);
        await eventually(() => stream.pings === pings);
      }
      expect(stream.events).toEqual([]);
    } finally {
      jest.useRealTimers();
    }
  });

  it("ends politely with close(), and keeps it from nothing", async () => {
    const app = await start(store);
    const { stream } = await visitor(app);
    await app.sessions.close();
    await stream.ended;
    expect(stream.events).toEqual([]);
  });

  it("that a browser opens again on the same connection keeps no server from closing", async () => {
    const app = await start(store);
    const { cookie, stream } = await visitor(app);
    stream.close();
    const agent = new Agent({ keepAlive: true });
    const open = async () => {
      const request = get(`${app.url}/session/pages-events`, { headers: { cookie }, agent });
      const [res] = (await once(request, "response")) as [IncomingMessage];
      return { over: once(res.resume(), "end"), isReused: request.reusedSocket };
    };
    const { over } = await open();
    app.sessions.pages.close();
    await over;
    // One that comes all the same, as one that was on its way, is ended as well.
    const again = await open();
    await again.over;
    expect(again.isReused).toBe(false);
    expect(app.sessions.pages.streams).toBe(0);
    agent.destroy();
  });

  it("survives a store that fails for a while", async () => {
    const app = await start(store);
    const { id, stream } = await visitor(app);
    store.fail("load", "rejects");
    await checked();
    expect(stream.events).toEqual([]);
    store.recover();
    await app.sessions.kill(id);
    expect(await stream.has(1)).toMatchObject([{ event: "ended" }]);
  });
});

describe("messages to pages", () => {
  let app: PagesApp;
  beforeEach(async () => (app = await start(new MemoryStore({ now: () => now }))));
  const sending = (...args: unknown[]) => (app.sessions.pages.send as (...args: unknown[]) => Promise<number>)(...args);

  it("come in their order, to a browser that was away as well, and to none twice", async () => {
    const { cookie, id, stream } = await visitor(app);
    for (let n = 0; n < 3; n += 1) {
      await sending(id, "n", n);
      now += 1;
    }
    const told = await stream.has(3);
    expect(told.map(({ data }) => data)).toEqual([0, 1, 2].map((n) => ({ event: "n", data: n })));
    stream.close();
    await eventually(() => app.sessions.pages.streams === 0);
    await sending(id, "n", 3);
    const back = await eventStream(`${app.url}/session/pages-events`, { cookie, "last-event-id": told[2]!.id! });
    expect((await back.has(1)).map(({ data }) => data)).toEqual([{ event: "n", data: 3 }]);
    await sending(id, "n", 4);
    expect((await back.has(2)).map(({ data }) => data.data)).toEqual([3, 4]);
  });

  it("cost no check where no page of the session is at this instance", async () => {
    const { store, calls } = watchedStore(undefined, new MemoryStore({ now: () => now }));
    app = await start(store, { killCheckInterval: "1h" });
    const { id, stream } = await visitor(app);
    stream.close();
    await eventually(() => app.sessions.pages.streams === 0);
    calls.length = 0;
    await sending(id, "n", 1);
    expect(calls).toEqual(["load", "update"]);
  });

  it("that a new stream has not had follow by what its address says of the last one", async () => {
    const { cookie, id, stream } = await visitor(app);
    for (const n of [1, 2]) await sending(id, "n", n);
    const [first] = await stream.has(2);
    const fresh = await eventStream(`${app.url}/session/pages-events?${first!.id!}`, { cookie });
    expect((await fresh.has(1)).map(({ data }) => data.data)).toEqual([2]);
    const odd = await eventStream(`${app.url}/session/pages-events?x`, { cookie });
    await eventually(() => odd.lastId !== "");
    expect(odd.events).toEqual([]);
  });

  it("come in the order in which they were sent in one millisecond, and after those of an instance whose clock is ahead", async () => {
    const { cookie, id, stream } = await visitor(app);
    await Promise.all([0, 1, 2, 3].map((n) => sending(id, "n", n)));
    now -= 60_000;
    for (const n of [4, 5]) await sending(id, "n", n);
    const told = await stream.has(6);
    expect(told.map(({ data }) => data.data)).toEqual([0, 1, 2, 3, 4, 5]);
    const back = await eventStream(`${app.url}/session/pages-events`, { cookie, "last-event-id": told[3]!.id! });
    expect((await back.has(2)).map(({ data }) => data.data)).toEqual([4, 5]);
  });

  it("wait for a browser that is away, twenty of them, and do not go to a page that is opened later", async () => {
    const { cookie, id, stream } = await visitor(app);
    await eventually(() => stream.lastId !== "");
    stream.close();
    for (let n = 0; n < 25; n += 1) await sending(id, "n", n);
    now += 80_000;
    const back = await eventStream(`${app.url}/session/pages-events`, { cookie, "last-event-id": stream.lastId });
    expect((await back.has(20)).map(({ data }) => data.data)).toEqual(Array.from({ length: 20 }, (_, n) => n + 5));
    const later = await eventStream(`${app.url}/session/pages-events`, { cookie });
    await sending(id, "n", 25);
    expect((await later.has(1)).map(({ data }) => data.data)).toEqual([25]);
    expect((await back.has(21)).at(-1)!.data.data).toBe(25);
  });

  it("reach a stream that was cut before its first one, once", async () => {
    const { cookie, id, stream } = await visitor(app);
    await sending(id, "n", 1);
    await stream.has(1);
    const fresh = await eventStream(`${app.url}/session/pages-events`, { cookie });
    await eventually(() => fresh.lastId !== "");
    fresh.close();
    await sending(id, "n", 2);
    const back = await eventStream(`${app.url}/session/pages-events`, { cookie, "last-event-id": fresh.lastId });
    await back.has(1);
    await sending(id, "n", 3);
    expect((await back.has(2)).map(({ data }) => data.data)).toEqual([2, 3]);
    expect(fresh.events).toEqual([]);
  });

  it("go to all sessions of a user that have open pages, and to nobody else's", async () => {
    const [one, two, bob] = [await visitor(app), await visitor(app), await visitor(app, "bob")];
    await send("GET", `${app.url}/login/alice`);
    expect(await sending({ user: "alice" }, "hello")).toBe(2);
    for (const { stream } of [one, two]) expect((await stream.has(1))[0]!.data).toEqual({ event: "hello", data: null });
    expect(bob.stream.events).toEqual([]);
    expect(await sending({ user: "nobody" }, "hello")).toBe(0);
  });

  it("are no pages: neither counted nor listed", async () => {
    const { cookie, id } = await visitor(app);
    await sending(id, "n");
    expect(await app.sessions.getSession(id)).toMatchObject({ activePages: 1, pageIds: [ID] });
    expect(JSON.parse((await send("GET", `${app.url}/pages`, { cookie })).body)).toHaveLength(1);
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  it.each<[string, unknown[], string]>([
    ["to no session", ["x", "e"], "SESSION_ARGUMENT"],
    ["to a session that is not there", ["A".repeat(43), "e"], "SESSION_NOT_FOUND"],
    ["to undefined", [undefined, "e"], "SESSION_ARGUMENT"],
    ["to a user that is undefined", [{ user: undefined }, "e"], "SESSION_ARGUMENT"],
    ["to an empty user", [{ user: "" }, "e"], "SESSION_ARGUMENT"],
    ["without a name", ["id"], "SESSION_ARGUMENT"],
    ["with a name of two lines", ["id", "a\nb"], "SESSION_ARGUMENT"],
    ["with a cycle", ["id", "e", cycle], "SESSION_ARGUMENT"],
    ["with a bigint", ["id", "e", 1n], "SESSION_ARGUMENT"],
    ["with a function", ["id", "e", () => 1], "SESSION_ARGUMENT"],
    ["of more than 16 KiB", ["id", "e", "ä".repeat(8_192)], "SESSION_ARGUMENT"],
  ])("are refused %s, and nothing is sent", async (_, args, code) => {
    const { id, stream } = await visitor(app);
    await expect(sending(...args.map((arg) => (arg === "id" ? id : arg)))).rejects.toMatchObject({ code });
    await sending(id, "after");
    expect((await stream.has(1)).map(({ data }) => data.event)).toEqual(["after"]);
  });
});
