import { once } from "node:events";
import type { Express } from "express";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";

const MINUTE = 60_000;

function routes(app: Express): void {
  app.get("/prepare", (req, res) => {
    req.session.merge({
      json: { deep: [1, { two: 2 }] },
      date: new Date(5),
      map: new Map([["a", new Set([1])]]),
      bytes: Buffer.from("leaf"),
      mixed: { date: new Date(6), list: [undefined, NaN, 3n] },
    });
    res.end();
  });
  app.get("/ignore", (_req, res) => res.send("tea"));
  app.get("/glance", (req, res) => res.json({ id: req.session.id, isNew: req.session.isNew, meta: req.session.meta }));
  app.get("/read", (req, res) => {
    for (const [, value] of req.session.items()) structuredClone(value);
    res.send("read");
  });
  app.get("/same", (req, res) => {
    for (const [key, value] of req.session.items()) req.session.set(key, value);
    req.session.set("json", { deep: [1, { two: 2 }] });
    res.send("the same");
  });
  app.get("/there-and-back", (req, res) => {
    req.session.set("new", 1);
    req.session.delete("new");
    res.send("nothing left");
  });
  app.get("/save", async (req, res) => {
    await req.session.save();
    res.send("saved");
  });
}

describeOnEveryStore("unchanged", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  let clock: number;
  let headers: { cookie: string };

  beforeEach(async () => {
    clock = Date.now();
    const now = () => clock;
    store = new FaultyStore(await every.open({ now }));
    app = await startApp(routes, { store, now, storeTimeout: "2s", touchInterval: "5m", idleTimeout: "1h" });
    headers = { cookie: (await app.get("/prepare")).cookie ?? "" };
    store.resetCalls();
  });

  afterEach(async () => {
    store.recover();
    await app.close();
  });

  it.each(["/ignore", "/glance", "/read", "/same", "/there-and-back", "/save"])(
    "P4: %s writes nothing",
    async (path) => {
      for (let n = 0; n < 3; n += 1) expect((await app.get(path, headers)).status).toBe(200);
      expect(store.writes).toBe(0);
      expect(store.calls.load).toBe(3);
    },
  );

  it("P4: lastSeenAt is renewed once per touchInterval, however many requests come", async () => {
    const started = clock;
    let touches = 0;
    for (; clock <= started + 30 * MINUTE; clock += MINUTE / 2) {
      await app.get("/read", headers);
      await store.idle();
      if (store.writes > touches) {
        touches = store.writes;
        const seen = JSON.parse((await app.get("/glance", headers)).body) as { meta: { lastSeenAt: string } };
        expect(Date.parse(seen.meta.lastSeenAt)).toBe(clock);
      }
    }
    expect(touches).toBe(6);
    expect(store.calls).toMatchObject({ update: 6, mutate: 0, create: 0 });
  });

  it("P4: a page that updates itself is no activity: it does not renew lastSeenAt", async () => {
    const { update } = store.calls;
    clock += 30 * MINUTE;
    await app.get("/read", { ...headers, "x-coatcheck-refresh": "1" });
    await store.idle();
    expect(store.calls.update).toBe(update);
    await app.get("/read", headers);
    await store.idle();
    expect(store.calls.update).toBe(update + 1);
  });

  it("P4: nothing waits for the touch, and one that fails is told as an error event", async () => {
    const failed = once(app.sessions, "error");
    store.fail("update", "hangs");
    clock += 5 * MINUTE;
    const answer = await app.get("/read", headers);
    expect(answer).toMatchObject({ status: 200, body: "read", cookie: undefined });
    expect(app.errors).toEqual([]);
    expect(store.calls.update).toBe(1);
    await expect(failed).resolves.toMatchObject([{ code: "SESSION_STORE_TIMEOUT" }]);
  });

  it("P4: requests that come while a touch is under way make no other", async () => {
    const failed = once(app.sessions, "error");
    store.fail("update", "hangs");
    clock += 5 * MINUTE;
    await Promise.all(Array.from({ length: 10 }, () => app.get("/read", headers)));
    expect(store.calls.update).toBe(1);
    store.recover();
    await failed;
    await app.get("/read", headers);
    expect(store.calls.update).toBe(2);
  });

  it("P4: the touch starts beside the handler, also of one that ignores the session", async () => {
    clock += 5 * MINUTE;
    await app.get("/ignore", headers);
    expect(store.calls.update).toBe(1);
  });
});
