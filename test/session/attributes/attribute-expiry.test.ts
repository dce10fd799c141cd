import { randomBytes } from "node:crypto";
import type { SessionAttributes } from "../../../lib";
import { describeOnEveryStore } from "../../support/every-store";
import { FaultyStore } from "../../support/faulty-store";
import { startVisits } from "../../support/visits";
import type { Visitor, Visits } from "../../support/visits";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describeOnEveryStore("the expiry of attributes", (every) => {
  let store: FaultyStore;
  let visits: Visits;
  let visitor: Visitor;
  let clock: number;

  beforeEach(async () => {
    clock = Date.now();
    const now = () => clock;
    store = new FaultyStore(await every.open({ now }));
    const limits = { idleTimeout: "1h", absoluteTimeout: "24h", touchInterval: "1m" } as const;
    visits = await startVisits({ store, now, secrets: [randomBytes(32).toString("hex")], ...limits });
    visitor = visits.visitor();
    await visitor.run((session) => void session.set("tea", "black"));
  });

  afterEach(() => visits.close());

  async function run<T>(body: (attributes: SessionAttributes) => T | Promise<T>): Promise<T> {
    const value = await visitor.run((session) => body(session.attributes));
    await store.idle(); // The touch, if there was one.
    return value;
  }

  /** The names that are stored, expired ones too. */
  const stored = async () => Object.keys((await store.load(visitor.id))?.attributes ?? {}).sort();

  it.each([false, true])(
    "P8: an attribute is there one millisecond before its time, and gone at it (encrypted: %s)",
    async (encrypt) => {
      await run((attributes) => attributes.create("a", 1, { expiresIn: "10m", encrypt }));
      clock += 10 * MINUTE - 1;
      expect(await run((attributes) => attributes.get("a"))).toBe(1);
      clock += 1;
      await run(async (attributes) => {
        expect(await attributes.get("a")).toBeUndefined();
        expect(await attributes.getInfo("a")).toBeUndefined();
        expect(await attributes.names()).toEqual([]);
        expect(await attributes.toObject()).toEqual({});
        expect(await attributes.exists("a")).toBe(false);
        expect(await attributes.delete("a")).toBe(false);
        await expect(attributes.update("a", 2)).rejects.toMatchObject({ code: "ATTRIBUTE_NOT_FOUND" });
        await expect(attributes.setExpiry("a", "1h")).rejects.toMatchObject({ code: "ATTRIBUTE_NOT_FOUND" });
        await attributes.create("a", 3);
        expect(await attributes.getInfo("a")).toMatchObject({ value: 3, createdAt: new Date(clock), expiresAt: null });
      });
    },
  );

  it("P8: it also expires within the request that has read it", async () => {
    await run(async (attributes) => {
      await attributes.create("a", 1, { expiresIn: 1000 });
      clock += 999;
      expect(await attributes.get("a")).toBe(1);
      clock += 1;
      expect(await attributes.get("a")).toBeUndefined();
    });
  });

  it("P8: renewing the session never moves it", async () => {
    await run((attributes) => attributes.create("a", 1, { expiresIn: "90m" }));
    for (let minutes = 30; minutes < 90; minutes += 30) {
      clock += 30 * MINUTE;
      expect(await run((attributes) => attributes.exists("a"))).toBe(true);
      await visitor.run((session) => session.touch());
    }
    clock += 30 * MINUTE;
    expect(await run((attributes) => attributes.exists("a"))).toBe(false);
    expect(await visitor.run((session) => session.get("tea"))).toBe("black");
  });

  it("P8: it never outlives its session, however late its own expiry is", async () => {
    await visitor.run(async ({ attributes }) => {
      await attributes.createMany([{ name: "a", value: 1, expiresIn: "30d" }, { name: "b", value: 2 }]); // prettier-ignore
      clock += HOUR - 1;
      expect(await attributes.toObject()).toEqual({ a: 1, b: 2 });
      clock += 1;
      expect(await attributes.toObject()).toEqual({});
      expect(await attributes.exists("a")).toBe(false);
      await expect(attributes.create("c", 3)).rejects.toMatchObject({ code: "SESSION_ENDED" });
    });
    expect(await run((attributes) => attributes.names())).toEqual([]);
  });

  it("P8: it lives beyond the limit that was loaded where a touch beside the request has moved that", async () => {
    await run((attributes) => attributes.create("a", 1));
    clock += HOUR - 1;
    await visitor.run(async ({ attributes }) => {
      await store.idle();
      clock += 1;
      expect(await attributes.get("a")).toBe(1);
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a save", () => visitor.run((session) => void session.set("tea", "green"))],
    ["a touch by hand", () => visitor.run((session) => session.touch())],
    ["a touch beside the request", () => ((clock += 5 * MINUTE), visitor.run(() => undefined))],
    ["an atomic update", () => visitor.run((session) => session.update("n", () => 1))],
    ["another attribute", () => visitor.run((session) => session.attributes.set("fresh", 1))],
  ])("its bytes go with the next write of the session: %s", async (_what, write) => {
    await run((attributes) =>
      attributes.createMany([
        { name: "__proto__", value: 1, expiresIn: 1 },
        { name: "constructor", value: "x", expiresIn: 1 },
        { name: "stays", value: 2, expiresIn: "30m" },
      ]),
    );
    clock += 1;
    await run((attributes) => attributes.names());
    expect(await stored()).toEqual(["__proto__", "constructor", "stays"]);
    await write();
    await store.idle();
    expect((await stored()).filter((name) => name !== "fresh")).toEqual(["stays"]);
    expect(await run((attributes) => attributes.get("stays"))).toBe(2);
  });

  it("P3: removing what has expired never takes what a parallel request has created anew", async () => {
    const writes: ((visitor: Visitor, between: () => Promise<void>) => Promise<unknown>)[] = [
      (one, between) => one.run(async (session) => (session.set("n", 1), between())),
      (one, between) => one.run(async (session) => (await between(), session.touch())),
      (one, between) => one.run(async ({ attributes }) => (await between(), attributes.set("other", 1))),
    ];
    for (const write of writes) {
      await run((attributes) => attributes.set("a", "old", { expiresIn: 1 }));
      clock += 1;
      // This request has loaded the expired one, and writes after the other has created it anew.
      await write(visitor, () => run((attributes) => attributes.create("a", "new")));
      expect(await run((attributes) => attributes.get("a"))).toBe("new");
      await run((attributes) => attributes.delete("a"));
    }
  });

  it("P3: nor does it where the other request comes while the removal is under way", async () => {
    await run((attributes) => attributes.create("a", "old", { expiresIn: 1 }));
    clock += 1;
    let creating: Promise<void> | undefined;
    store.pause = (operation, moment) => {
      if (operation !== "mutate" || moment !== "before" || creating !== undefined) return undefined;
      return (creating = visitor.run(({ attributes }) => attributes.create("a", "new")));
    };
    await visitor.run((session) => void session.set("n", 1));
    store.pause = undefined;
    expect(creating).toBeDefined();
    expect(await run((attributes) => attributes.get("a"))).toBe("new");
  });

  it("P4: a session without expired attributes is written in one step as before", async () => {
    await run((attributes) => attributes.create("a", 1, { expiresIn: "30m" }));
    store.resetCalls();
    await visitor.run((session) => void session.set("tea", "green"));
    expect(store.calls).toMatchObject({ load: 1, update: 1, mutate: 0 });
  });
});
