import type { Express } from "express";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";

/** Deep changes, each of one value that was read, with nothing assigned and no `markChanged()`. */
const DEEP_CHANGES: readonly (readonly [string, (value: any) => void])[] = [
  ["an item of a nested array", (value) => value.nested.rows[1].push("more")],
  ["a property of an object in a Map", (value) => (value.map.get("black").price = 5)],
  ["a Map's new entry", (value) => value.map.set("green", 1)],
  ["a Set's new value", (value) => value.set.add("oolong")],
  ["a Date that is set in place", (value) => value.date.setFullYear(2001)],
  ["one byte of a Buffer", (value) => (value.bytes[3] ^= 1)],
  ["one number of a typed array", (value) => (value.numbers[0] = 7)],
  ["a deleted property", (value) => delete value.nested.name],
  ["an order of keys", (value) => value.nested.rows.reverse()],
];

const freshValue = () => ({
  nested: { name: "tea", rows: [["a"], ["b"]] },
  map: new Map<string, unknown>([["black", { price: 4 }]]),
  set: new Set(["assam"]),
  date: new Date(0),
  bytes: Buffer.from("leaf"),
  numbers: new Float64Array([1, 2]),
});

/** Requests that wait for each other, so that they overlap: each at `/…?party=2` goes on when both are there. */
class Meeting {
  #waiting: (() => void)[] = [];

  async join(size: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length < size) return;
      for (const go of this.#waiting) go();
      this.#waiting = [];
    });
  }
}

function routes(meeting: Meeting): (app: Express) => void {
  return (app) => {
    app.get("/meet", async (req, res) => {
      const { set, remove, read, value } = req.query as Record<string, string>;
      if (read !== undefined) req.session.get(read);
      await meeting.join(2);
      if (set !== undefined) req.session.set(set, value ?? set);
      if (remove !== undefined) req.session.delete(remove);
      res.send("met");
    });
    app.get("/increment", async (req, res) => {
      res.send(String(await req.session.update("n", (n: unknown) => Number(n ?? 0) + 1)));
    });
    app.get("/all", (req, res) => res.json(Object.fromEntries(req.session.items())));
    app.get("/prepare", (req, res) => {
      req.session.set("value", freshValue());
      req.session.set("a", "first");
      res.end();
    });
    app.get("/change/:n", (req, res) => {
      DEEP_CHANGES[Number(req.params.n)]?.[1](req.session.get("value"));
      res.end();
    });
    app.get("/changed/:n", (req, res) => {
      const expected = freshValue();
      DEEP_CHANGES[Number(req.params.n)]?.[1](expected);
      expect(req.session.get("value")).toEqual(expected);
      res.send("as expected");
    });
  };
}

describeOnEveryStore("parallel requests", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  let headers: { cookie: string };

  beforeAll(async () => {
    store = new FaultyStore(await every.open());
    app = await startApp(routes(new Meeting()), { store });
  });

  afterAll(() => app.close());

  beforeEach(async () => {
    headers = { cookie: (await app.get("/prepare")).cookie ?? "" };
    store.resetCalls();
  });

  const all = async () => JSON.parse((await app.get("/all", headers)).body) as Record<string, unknown>;
  const together = (...paths: string[]) => Promise.all(paths.map((path) => app.get(path, headers)));

  it("P3: two requests that change different keys both win", async () => {
    await together("/meet?set=left", "/meet?set=right");
    expect(await all()).toMatchObject({ a: "first", left: "left", right: "right" });
  });

  it("P3: one that removes a key and one that sets another both win", async () => {
    await together("/meet?remove=a", "/meet?set=b");
    const data = await all();
    expect(data).toMatchObject({ b: "b" });
    expect(data).not.toHaveProperty("a");
  });

  it("P3: a reader beside a writer of the same key writes nothing", async () => {
    await together("/meet?read=a", "/meet?set=a&value=second");
    expect(store.writes).toBe(1);
    expect(await all()).toMatchObject({ a: "second" });
  });

  it("P3: a reader of a value that is no JSON writes nothing either", async () => {
    await together("/meet?read=value", "/meet?read=value");
    expect(store.writes).toBe(0);
  });

  it("P3: 50 parallel updates of one key are 50 steps", async () => {
    const answers = await together(...Array.from({ length: 50 }, () => "/increment"));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(50);
    expect(await all()).toMatchObject({ n: 50 });
  });

  it("P3: update in one request and a plain change of another key in others keep each other's work", async () => {
    await together("/increment", "/meet?set=left", "/increment", "/meet?set=right", "/increment");
    expect(await all()).toMatchObject({ n: 3, left: "left", right: "right" });
  });

  it.each(DEEP_CHANGES.map(([what], n) => [what, n] as const))("P9: %s is noticed", async (_what, n) => {
    expect((await app.get(`/change/${n}`, headers)).status).toBe(200);
    expect(store.writes).toBe(1);
    expect((await app.get(`/changed/${n}`, headers)).body).toBe("as expected");
  });
});
