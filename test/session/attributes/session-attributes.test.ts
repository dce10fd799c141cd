import { randomBytes } from "node:crypto";
import type { SessionAttributes } from "../../../lib";
import { describeOnEveryStore } from "../../support/every-store";
import { FaultyStore } from "../../support/faulty-store";
import { STORABLE, fingerprint } from "../../support/storable-values";
import { startVisits } from "../../support/visits";
import type { Visitor, Visits } from "../../support/visits";

const code = (expected: string) => expect.objectContaining({ code: expected });
const HOUR = 3_600_000;

describeOnEveryStore("session.attributes", (every) => {
  let store: FaultyStore;
  let visits: Visits;
  let visitor: Visitor;
  let clock: number;

  beforeAll(async () => {
    const now = () => clock;
    clock = Date.now();
    store = new FaultyStore(await every.open({ now }));
    visits = await startVisits({ store, now, secrets: [randomBytes(32).toString("hex")] });
  });

  afterAll(() => visits.close());

  beforeEach(async () => {
    visitor = visits.visitor();
    await visitor.run((session) => void session.set("tea", "black"));
    store.resetCalls();
  });

  /** Runs this with the attributes of the visitor's session, in a request of its own. */
  const run = <T>(body: (attributes: SessionAttributes) => T | Promise<T>) =>
    visitor.run((session) => body(session.attributes));
  const all = () => run((attributes) => attributes.toObject());

  it("creates, reads, updates and deletes, and the next request sees it", async () => {
    await run(async (attributes) => {
      await attributes.create("a", { n: 1 });
      await attributes.createMany([{ name: "b", value: [2] }, { name: "c", value: 3, encrypt: true }]); // prettier-ignore
      expect(await attributes.get("a")).toEqual({ n: 1 });
    });
    expect(await all()).toEqual({ a: { n: 1 }, b: [2], c: 3 });
    await run(async (attributes) => {
      await attributes.update("a", "new");
      await attributes.set("b", "also new");
      await attributes.setMany([{ name: "d", value: 4 }, { name: "c", value: "secret" }]); // prettier-ignore
    });
    await run(async (attributes) => {
      expect(await attributes.names()).toEqual(expect.arrayContaining(["a", "b", "c", "d"]));
      expect(await attributes.getMany(["a", "d", "missing"])).toEqual({ a: "new", d: 4 });
      expect(await attributes.existsMany(["c", "missing"])).toEqual({ c: true, missing: false });
      expect(await attributes.exists("a")).toBe(true);
      expect(await attributes.get("missing")).toBeUndefined();
      expect(await attributes.getInfo("missing")).toBeUndefined();
      expect(await attributes.delete("a")).toBe(true);
      expect(await attributes.delete("a")).toBe(false);
      expect(await attributes.deleteMany(["b", "b", "missing"])).toBe(1);
    });
    expect(await all()).toEqual({ c: "secret", d: 4 });
  });

  it("says when it was created and modified, when it will expire, and whether it is encrypted", async () => {
    const created = clock;
    await run((attributes) => attributes.create("a", 1, { expiresIn: "10m", encrypt: true }));
    await run((attributes) => attributes.create("b", 2));
    clock += 60_000;
    await run((attributes) => attributes.update("a", 3));
    const at = { createdAt: new Date(created), modifiedAt: new Date(clock), expiresAt: new Date(created + 600_000) };
    await run(async (attributes) => {
      expect(await attributes.getInfo("a")).toEqual({ name: "a", value: 3, encrypted: true, ...at });
      await attributes.setExpiry("a", "30s");
      const expiresAt = new Date(clock + 30_000);
      expect(await attributes.getInfo("a")).toEqual({ name: "a", value: 3, encrypted: true, ...at, expiresAt });
      await attributes.setExpiryMany(["a", "b"], Infinity);
      expect(await attributes.getInfo("a")).toMatchObject({ value: 3, expiresAt: null });
      await attributes.update("a", 4, { encrypt: false, expiresIn: 1000 });
      expect(await attributes.getInfo("a")).toMatchObject({ encrypted: false, expiresAt: new Date(clock + 1000) });
    });
  });

  it.each(STORABLE)("P9: keeps %s, plain and encrypted", async (_what, make) => {
    await run(
      (attributes) =>
      attributes.createMany([{ name: "plain", value: make() }, { name: "encrypted", value: make(), encrypt: true }]), // prettier-ignore
    );
    const { plain, encrypted } = await all();
    expect(fingerprint(plain)).toBe(fingerprint(make()));
    expect(fingerprint(encrypted)).toBe(fingerprint(make()));
  });

  it.each(["__proto__", "constructor", "toString", " ", ".", "a.b", "`", "é🍵", "__x__", "0", "a".repeat(191)])(
    "takes %j as a name like any other",
    async (name) => {
      await run(async (attributes) => {
        expect(await attributes.exists(name)).toBe(false);
        expect(await attributes.get(name)).toBeUndefined();
        await attributes.create(name, "plain");
        await attributes.set(name, "encrypted", { encrypt: true, expiresIn: "1m" });
      });
      expect(await run((attributes) => attributes.getMany([name]))).toHaveProperty([name], "encrypted");
      expect(await run((attributes) => attributes.names())).toEqual([name]);
      expect(({} as any).plain).toBeUndefined();
      clock += 60_000;
      expect(await run((attributes) => attributes.exists(name))).toBe(false);
      await run((attributes) => attributes.create(name, 1));
      expect(await run((attributes) => attributes.delete(name))).toBe(true);
      expect(await all()).toEqual({});
    },
  );

  it("returns copies: changing one changes nothing, neither here nor in the store", async () => {
    const given = { list: [1] };
    await run(async (attributes) => {
      await attributes.create("a", given);
      given.list.push(2);
      ((await attributes.get("a")) as typeof given).list.push(3);
      expect(await attributes.get("a")).toEqual({ list: [1] });
    });
    expect(await all()).toEqual({ a: { list: [1] } });
  });

  it("P3: of two creates of one name at the same time exactly one wins", async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = `round ${round}`;
      const answers = await Promise.allSettled(
        ["left", "right"].map((value) => run((attributes) => attributes.create(name, value).then(() => value))),
      );
      const won = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
      const lost = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
      expect(won).toHaveLength(1);
      expect(lost).toEqual([code("ATTRIBUTE_EXISTS")]);
      expect(await run((attributes) => attributes.get(name))).toBe(won[0]);
    }
  });

  it("P3: writes of different names at the same time all last, beside a change of the data", async () => {
    const names = Array.from({ length: 10 }, (_, n) => `n${n}`);
    await Promise.all([
      ...names.map((name) => run((attributes) => attributes.create(name, name))),
      visitor.run((session) => void session.set("views", 1)),
    ]);
    expect(await all()).toEqual(Object.fromEntries(names.map((name) => [name, name])));
    expect(await visitor.run((session) => session.items())).toEqual(
      expect.arrayContaining([["tea", "black"], ["views", 1]]), // prettier-ignore
    );
  });

  it("is visible to a request that begins while the one that wrote it still runs", async () => {
    const seen = await run(async (attributes) => {
      await attributes.create("a", 1);
      return run((others) => others.get("a"));
    });
    expect(seen).toBe(1);
  });

  it("creates many or none, and names those that exist", async () => {
    await run((attributes) => attributes.createMany([{ name: "b", value: 1 }, { name: "c", value: 1 }])); // prettier-ignore
    const creating = run((attributes) =>
      attributes.createMany(["a", "b", "c", "d"].map((name) => ({ name, value: 2 }))),
    );
    await expect(creating).rejects.toMatchObject({ code: "ATTRIBUTE_EXISTS", status: 409 });
    await expect(creating).rejects.toThrow('attribute "b", "c" already');
    expect(await all()).toEqual({ b: 1, c: 1 });
  });

  it("updates many or none, and names those that are missing; the same for their expiry", async () => {
    await run((attributes) => attributes.create("a", 1));
    const updating = run(
      (attributes) =>
      attributes.updateMany(["a", "b", "c"].map((name) => ({ name, value: 2 })), { expiresIn: 1000 }), // prettier-ignore
    );
    await expect(updating).rejects.toMatchObject({ code: "ATTRIBUTE_NOT_FOUND", status: 404 });
    await expect(updating).rejects.toThrow('attribute "b", "c"');
    await expect(run((attributes) => attributes.setExpiryMany(["a", "b"], 1000))).rejects.toEqual(
      code("ATTRIBUTE_NOT_FOUND"),
    );
    await expect(run((attributes) => attributes.update("b", 2))).rejects.toEqual(code("ATTRIBUTE_NOT_FOUND"));
    await expect(run((attributes) => attributes.setExpiry("b", 2))).rejects.toEqual(code("ATTRIBUTE_NOT_FOUND"));
    expect(await run((attributes) => attributes.getInfo("a"))).toMatchObject({ value: 1, expiresAt: null });
  });

  it("lets each item override the options of the call", async () => {
    await run((attributes) =>
      attributes.createMany(
        [
          { name: "a", value: 1 },
          { name: "b", value: 2, expiresIn: "2m" },
          { name: "c", value: 3, encrypt: false },
        ],
        { expiresIn: "1m", encrypt: true },
      ),
    );
    const infos = await run((attributes) => Promise.all(["a", "b", "c"].map((name) => attributes.getInfo(name))));
    expect(infos).toMatchObject([
      { encrypted: true, expiresAt: new Date(clock + 60_000) },
      { encrypted: true, expiresAt: new Date(clock + 120_000) },
      { encrypted: false, expiresAt: new Date(clock + 60_000) },
    ]);
  });

  it("P4: creates 20 in one store call, and reads them with none beside the session's own load", async () => {
    const items = Array.from({ length: 20 }, (_, n) => ({ name: `n${n}`, value: n, encrypt: n % 2 === 0 }));
    await run((attributes) => attributes.createMany(items));
    expect(store.calls).toMatchObject({ load: 1, mutate: 1 });
    expect(store.writes).toBe(1);
    store.resetCalls();
    await run(async (attributes) => {
      for (const { name } of items) await attributes.getInfo(name);
      await attributes.toObject();
      await attributes.existsMany(await attributes.names());
    });
    expect(store.calls).toMatchObject({ load: 1, find: 0 });
    expect(store.writes).toBe(0);
  });

  it("P5: starts a session, with the data that were set, in one store call; reading or deleting starts none", async () => {
    const stranger = visits.visitor();
    await stranger.run(async ({ attributes }) => {
      expect(await attributes.toObject()).toEqual({});
      expect(await attributes.delete("a")).toBe(false);
      await attributes.createMany([]);
      await expect(attributes.update("a", 1)).rejects.toEqual(code("ATTRIBUTE_NOT_FOUND"));
    });
    expect(stranger.cookie).toBe("");
    expect(store.writes).toBe(0);
    await stranger.run(async (session) => {
      session.set("tea", "green");
      await session.attributes.create("a", 1, { encrypt: true });
      expect(await session.attributes.get("a")).toBe(1);
    });
    expect(store.calls).toMatchObject({ create: 1, mutate: 0, update: 0 });
    expect(await stranger.run(async (s) => [s.get("tea"), await s.attributes.toObject()])).toEqual(["green", { a: 1 }]);
  });

  it.each(["reset", "login", "logout"] as const)("carries none over a %s", async (action) => {
    await run((attributes) => attributes.create("a", 1, { encrypt: true }));
    await visitor.run(async (session) => {
      await (action === "login" ? session.login("alice") : session[action]());
      expect(await session.attributes.names()).toEqual([]);
      await session.attributes.create("a", 2);
    });
    expect(await all()).toEqual({ a: 2 });
  });

  it("stays readable, but is never written, on the object that regenerate leaves behind", async () => {
    await visitor.run(async (session) => {
      await session.attributes.create("a", 1, { encrypt: true });
      await session.regenerate();
      expect(await session.attributes.toObject()).toEqual({ a: 1 });
      await expect(session.attributes.create("b", 2)).rejects.toEqual(code("SESSION_DETACHED"));
      await expect(session.attributes.delete("a")).rejects.toEqual(code("SESSION_DETACHED"));
    });
  });

  it("P2: ends with its session: nothing is written to it, read from it, or kept of it", async () => {
    await run((attributes) => attributes.create("a", "a value that ends"));
    await visitor.run(async (session) => {
      await visits.app.sessions.kill(session.id);
      await expect(session.attributes.create("b", 1)).rejects.toEqual(code("SESSION_ENDED"));
      expect(await session.attributes.names()).toEqual([]);
    });
    const ended: object[] = [];
    for await (const record of store.find({ state: "ended", id: visitor.id })) ended.push(record);
    expect(ended).toHaveLength(1);
    expect(ended[0]).not.toHaveProperty("attributes");
    expect(await all()).toEqual({});
  });

  it("P6: keeps an encrypted value out of the store's bytes, and a plain one in them", async () => {
    const own = await every.open();
    const apart = await startVisits({ store: own, secrets: [randomBytes(32).toString("hex")] });
    const one = apart.visitor();
    await one.run((session) =>
      session.attributes.createMany([
        { name: "hidden", value: "4111-1111", encrypt: true },
        { name: "shown", value: "in the open" },
      ]),
    );
    await one.run((session) => session.attributes.set("hidden", { deep: new Map([["k", "5500-0000"]]) }));
    await one.run((session) => session.attributes.setExpiry("hidden", HOUR));
    const bytes = await every.bytesOf(own);
    expect(bytes.includes("in the open")).toBe(true);
    expect(bytes.includes("4111-1111") || bytes.includes("5500-0000")).toBe(false);
    await apart.close();
  });
});
