import { inspect } from "node:util";
import type { Express } from "express";
import { dictionary } from "../../lib/record/session-record";
import { startApp } from "../support/app";
import type { Answer, RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import { idOf } from "../support/session-life";
import { fingerprint, REFUSED, STORABLE } from "../support/storable-values";
import type { SessionStore } from "../../lib/stores/store";

const MAX_BYTES = 20_000;
const KEYS = ["__proto__", "constructor", "toString", "", "save", "a.b", "`", "\\", "🍵", "\u0000", "é".repeat(512)];

function routes(app: Express): void {
  app.get("/prepare", (req, res) => {
    req.session.set("kept", "first");
    res.end();
  });
  app.get("/all", (req, res) => res.json(Object.fromEntries(req.session.items())));
  app.get("/keep/:n", (req, res) => {
    req.session.set("value", STORABLE[Number(req.params.n)]?.[1]());
    res.end();
  });
  app.get("/compare/:n", (req, res) => {
    expect(req.session.has("value")).toBe(true);
    expect(fingerprint(req.session.get("value"))).toBe(fingerprint(STORABLE[Number(req.params.n)]?.[1]()));
    res.send("equal");
  });
  app.get("/keep-kinds", (req, res) => {
    req.session.set("kinds", {
      at: new Date(5),
      map: new Map([["inner", new Set([new Date(6)])]]),
      big: [1n, { a: 1 }],
    });
    res.end();
  });
  app.get("/kinds", (req, res) => {
    const { at, map, big } = req.session.get("kinds") as { at: Date; map: Map<string, Set<Date>>; big: unknown[] };
    const set = map.get("inner");
    const [inner] = set ?? [];
    const kinds = [at instanceof Date, map instanceof Map, set instanceof Set, inner instanceof Date];
    res.json([...kinds, big instanceof Array, big[1] instanceof Object]);
  });
  app.get("/keys", (req, res) => {
    for (const key of KEYS) req.session.set(key, { of: key });
    res.end();
  });
  app.get("/compare-keys", (req, res) => {
    for (const key of KEYS) expect(req.session.get(key)).toEqual({ of: key });
    expect(req.session.keys().sort()).toEqual(["kept", ...KEYS].sort());
    expect(({} as { of?: unknown }).of).toBeUndefined();
    res.send("equal");
  });
  app.get("/refused/:n/:how", async (req, res) => {
    const value = REFUSED[Number(req.params.n)]?.[1]();
    if (req.params.how === "update") {
      await req.session.update("cart", () => value);
    } else {
      req.session.merge({ kept: "second", other: 1, cart: value });
      if (req.params.how === "save") await req.session.save();
    }
    res.send("saved");
  });
  app.get("/size/:key/:length", (req, res) => {
    req.session.set(req.params.key, "x".repeat(Number(req.params.length)));
    res.end();
  });
  app.get("/update-size/:length", async (req, res) => {
    await req.session.update("big", () => "x".repeat(Number(req.params.length)));
    res.end();
  });
  app.get("/update/:key", async (req, res) => {
    res.json(await req.session.update(req.params.key, (value: unknown) => ({ value })));
  });
  app.get("/read/:key", (req, res) => res.json({ value: req.session.get(req.params.key, "absent") }));
  app.get("/inspect-error/:key", (req, res) => {
    try {
      req.session.get(req.params.key);
    } catch (error) {
      res.send(inspect(error, { depth: 5, showHidden: true }));
    }
  });
  app.get("/has/:key", (req, res) => res.json(req.session.has(req.params.key)));
  app.get("/heal/:key", (req, res) => {
    req.session.set(req.params.key, "healed");
    res.end();
  });
}

describeOnEveryStore("values", (every) => {
  let inner: SessionStore;
  let store: FaultyStore;
  let app: RunningApp;
  let headers: { cookie: string };
  let id: string;

  beforeAll(async () => {
    inner = await every.open();
    store = new FaultyStore(inner);
    app = await startApp(routes, { store, maxBytes: MAX_BYTES });
  });

  afterAll(() => app.close());

  beforeEach(async () => {
    const { cookie = "" } = await app.get("/prepare");
    headers = { cookie };
    id = idOf(cookie);
    store.resetCalls();
  });

  const get = (path: string) => app.get(path, headers);
  const all = async () => JSON.parse((await get("/all")).body) as unknown;
  const expectRefusal = (answer: Answer, code: string, message: string) => {
    expect(answer).toMatchObject({ status: 500, cookie: undefined });
    expect(JSON.parse(answer.body)).toMatchObject({ code });
    expect(answer.body).toContain(JSON.stringify(message).slice(1, -1));
  };

  it.each(STORABLE.map(([name], n) => [name, n] as const))("P9: %s comes back equal", async (_name, n) => {
    expect((await get(`/keep/${n}`)).status).toBe(200);
    for (let visit = 0; visit < 2; visit += 1) expect((await get(`/compare/${n}`)).body).toBe("equal");
    expect(store.writes).toBe(1); // P4: comparing has written nothing.
  });

  it("P9: what comes back is instanceof the classes that the app sees, also in a test runner's context", async () => {
    expect((await get("/keep-kinds")).status).toBe(200);
    expect(JSON.parse((await get("/kinds")).body)).toEqual([true, true, true, true, true, true]);
  });

  it("P9: any key comes back, and touches no prototype", async () => {
    expect((await get("/keys")).status).toBe(200);
    expect((await get("/compare-keys")).body).toBe("equal");
  });

  describe.each(["end", "save", "update"])("a value that can't be stored, at %s", (how) => {
    it.each(REFUSED.map(([name, , message], n) => [name, n, message] as const))(
      "P9: %s is refused by its path, and nothing of the request is saved",
      async (_name, n, message) => {
        expectRefusal(await get(`/refused/${n}/${how}`), "SESSION_VALUE", message);
        expect(await all()).toEqual({ kept: "first" });
        expect(store.calls.update).toBe(0);
      },
    );
  });

  it("P9: a new session with a value that can't be stored is not created", async () => {
    expectRefusal(await app.get("/refused/0/end"), "SESSION_VALUE", "cart.items[3].toPrice is a function");
    expect(store.calls.create).toBe(0);
  });

  it("P9: a session over maxBytes is refused, new or changed, and stays as it was", async () => {
    expectRefusal(await app.get(`/size/big/${MAX_BYTES}`), "SESSION_TOO_LARGE", "maxBytes is 20000");
    expectRefusal(await get(`/size/big/${MAX_BYTES}`), "SESSION_TOO_LARGE", "maxBytes is 20000");
    expectRefusal(await get(`/update-size/${MAX_BYTES}`), "SESSION_TOO_LARGE", "maxBytes is 20000");
    expect(store.calls).toMatchObject({ create: 0, update: 0 });
    expect(await all()).toEqual({ kept: "first" });
  });

  it("P9: one that is over it already may shrink, and not grow", async () => {
    const big = Object.assign(dictionary<string>(), { big: JSON.stringify("x".repeat(2 * MAX_BYTES)) });
    await inner.update(id, { data: { set: big } });
    expectRefusal(await get(`/size/more/1`), "SESSION_TOO_LARGE", "maxBytes");
    expect((await get(`/size/big/${MAX_BYTES + 1000}`)).status).toBe(200);
    expect((await get(`/update-size/${MAX_BYTES}`)).status).toBe(200);
    expect((await get(`/size/big/100`)).status).toBe(200);
    expect((await get(`/size/more/1`)).status).toBe(200);
  });

  it.each([
    ["text", "card 4111-1111"],
    ["bytes", Uint8Array.from(Buffer.from("4111-1111, which is no structured clone"))],
  ])("P9: damaged %s is SESSION_UNREADABLE when it is read, and never absent", async (_kind, damaged) => {
    await inner.update(id, { data: { set: Object.assign(dictionary<string | Uint8Array>(), { card: damaged }) } });
    expectRefusal(await get("/read/card"), "SESSION_UNREADABLE", "card");
    expectRefusal(await get("/all"), "SESSION_UNREADABLE", "card");
    expectRefusal(await get("/update/card"), "SESSION_UNREADABLE", "card");
    expect((await get("/has/card")).body).toBe("true");
    expect((await get("/read/kept")).body).toBe('{"value":"first"}');
    expect((await get("/heal/card")).status).toBe(200);
    expect((await get("/read/card")).body).toBe('{"value":"healed"}');
  });

  it("P6: the error about damaged data holds none of it, its causes included", async () => {
    const damaged = Object.assign(dictionary<string>(), { card: "card 4111-1111" });
    await inner.update(id, { data: { set: damaged } });
    const error = (await get("/inspect-error/card")).body;
    expect(error).toContain("SESSION_UNREADABLE");
    expect(error).not.toContain("4111");
  });

  const { writeNewerFormat } = every;
  if (writeNewerFormat !== undefined) {
    it("P9: a session of a newer version is SESSION_UNREADABLE, and not absent or overwritten", async () => {
      await writeNewerFormat(inner, id);
      for (const path of ["/read/kept", "/heal/kept", "/all"]) {
        expectRefusal(await get(path), "SESSION_UNREADABLE", id);
      }
      expect(store.writes).toBe(0);
    });
  }
});
