import { inspect } from "node:util";
import type { SessionStore } from "../../../lib/stores/store";
import { startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";
import { captureOutput } from "../../support/captured-output";
import { describeOnEveryStore } from "../../support/every-store";
import { inRequest } from "../../support/in-request";
import { KeyVisitor, keyRoutes } from "../../support/key-routes";
import { idOf } from "../../support/session-life";
import { watchedStore } from "../../support/watched-store";
import type { StoreMethod } from "../../support/watched-store";

const MINUTE = 60_000;
/** What has the form of a key, and is none. */
const STRANGE_KEY = "A".repeat(43);
const NO_KEYS: readonly unknown[] = [
  undefined,
  null,
  "",
  "x",
  STRANGE_KEY.slice(1),
  `${STRANGE_KEY}A`,
  `${STRANGE_KEY.slice(1)}B`, // 43 characters that 32 bytes never become
  `${STRANGE_KEY.slice(1)}+`,
  "é".repeat(43),
  "A".repeat(1_000_000),
  0,
  true,
  [],
  [STRANGE_KEY],
  { key: STRANGE_KEY },
  { length: 43 },
];

describeOnEveryStore("security keys", (every) => {
  let now: number;
  let store: SessionStore;
  let bytes: () => Promise<Buffer>;
  let calls: StoreMethod[];
  let app: RunningApp;
  /** Another machine on the same store. */
  let other: RunningApp;
  let alice: KeyVisitor;

  beforeEach(async () => {
    now = Date.now();
    store = await every.open({ now: () => now });
    bytes = () => every.bytesOf(store);
    const watched = watchedStore(undefined, store);
    calls = watched.calls;
    const shared: SessionStore = new Proxy(watched.store, {
      // The suite closes the store that it has opened; two apps share it.
      get: (target, name) => (name === "close" ? async () => undefined : (Reflect.get(target, name) as unknown)),
    });
    app = await startApp(keyRoutes, { store: shared, now: () => now });
    other = await startApp(keyRoutes, { store: shared, now: () => now });
    alice = new KeyVisitor();
  });

  afterEach(async () => {
    await app.close();
    await other.close();
  });

  test("a one-time key is valid once, and resolves to its payload", async () => {
    const key = await alice.create(app, { payload: { order: 7, at: ["a", null] } });
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(await alice.validate(other, key)).toEqual({ order: 7, at: ["a", null] });
    expect(await alice.validate(app, key)).toBeUndefined();
  });

  test("a key without a payload resolves to true, and a falsy payload is not undefined", async () => {
    expect(await alice.validate(app, await alice.create(app))).toBe(true);
    for (const payload of [null, false, 0, ""]) {
      expect(await alice.validate(app, await alice.create(app, { payload }))).toBe(payload);
    }
  });

  test("of a hundred validations at once, on two machines, one succeeds", async () => {
    const key = await alice.create(app, { payload: "tea" });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => alice.validate(i % 2 === 0 ? app : other, key)),
    );
    expect(answers.filter((answer) => answer !== undefined)).toEqual(["tea"]);
  });

  test("keys that parallel requests make are all there", async () => {
    await alice.get(app, "/set");
    const keys = await Promise.all(Array.from({ length: 20 }, (_, i) => alice.create(i % 2 === 0 ? app : other)));
    for (const key of keys) expect(await alice.validate(app, key)).toBe(true);
  });

  test("a key of one session is not valid in another", async () => {
    const [key, bob] = [await alice.create(app), new KeyVisitor()];
    await bob.get(app, "/set");
    expect(await bob.validate(app, key)).toBeUndefined();
    expect(await bob.post(app, "/is-static", { key: await alice.get(app, "/static") })).toBe(false);
    expect(await alice.validate(app, key)).toBe(true);
  });

  test("P8: a key is over at the millisecond at which it expires, by default after an hour", async () => {
    for (const [options, lifeMs] of [
      [{ expiresIn: "10m" }, 10 * MINUTE],
      [{ expiresIn: 1_500 }, 1_500],
      [undefined, 60 * MINUTE],
    ] as const) {
      const [early, late] = [await alice.create(app, options), await alice.create(app, options)];
      // The session itself lives for an hour from its last request on: half-way, it is renewed.
      now += lifeMs / 2;
      await alice.get(app, "/touch");
      now += lifeMs / 2 - 1;
      expect(await alice.validate(app, early)).toBe(true);
      now += 1;
      expect(await alice.validate(app, late)).toBeUndefined();
    }
  });

  test("P8: using the session does not move the end of a key, and neither does renewing it", async () => {
    const [long, short] = [await alice.create(app, { expiresIn: "5h" }), await alice.create(app, { expiresIn: "4h" })];
    for (let i = 0; i < 5; i += 1) {
      now += 50 * MINUTE;
      await alice.get(app, "/touch");
    }
    expect(await alice.validate(app, long)).toBe(true);
    expect(await alice.validate(app, short)).toBeUndefined();
  });

  test("a session keeps a hundred keys: the expired go first, then the oldest", async () => {
    const oldest = await alice.create(app);
    now += 1;
    const second = await alice.create(app);
    const expiring = await alice.create(app, { expiresIn: 10 });
    now += 20;
    for (let i = 0; i < 99; i += 1) {
      await alice.create(app);
      now += 1;
    }
    expect(Object.keys((await store.load(idOf(alice.cookie)))?.keys ?? {})).toHaveLength(100);
    expect(await alice.validate(app, expiring)).toBeUndefined();
    expect(await alice.validate(app, oldest)).toBeUndefined();
    expect(await alice.validate(app, second)).toBe(true);
  });

  test("what can't be a key, and any key of a visitor without a session, is refused without a store call", async () => {
    const stranger = new KeyVisitor();
    for (const key of [...NO_KEYS, STRANGE_KEY]) expect(await stranger.validate(app, key)).toBeUndefined();
    expect(calls).toEqual([]);
    expect(stranger.cookie).toBe("");

    await alice.get(app, "/set");
    calls.length = 0;
    for (const key of NO_KEYS) {
      expect(await alice.validate(app, key)).toBeUndefined();
      expect(await alice.post(app, "/is-static", { key })).toBe(false);
    }
    expect(new Set(calls)).toEqual(new Set(["load"]));
  });

  test("P4: an unknown key changes nothing", async () => {
    await alice.get(app, "/set");
    const before = await store.load(idOf(alice.cookie));
    expect(before).toBeDefined();
    expect(await alice.validate(app, STRANGE_KEY)).toBeUndefined();
    expect(await store.load(idOf(alice.cookie))).toEqual(before);
  });

  test("P2: keys from before a login, a logout or a reset are not valid after it", async () => {
    await alice.get(app, "/set");
    for (const way of ["/login", "/logout", "/reset"]) {
      const [key, fixed, masked] = [
        await alice.create(app),
        await alice.get(app, "/static"),
        await alice.get(app, "/masked"),
      ];
      await alice.get(app, way);
      expect(await alice.validate(app, key)).toBeUndefined();
      expect(await alice.post(app, "/is-static", { key: fixed })).toBe(false);
      expect(await alice.post(app, "/is-static", { key: masked })).toBe(false);
      expect(await alice.get(app, "/static")).not.toBe(fixed);
    }
  });

  test("P2: the keys of a session that was killed are not valid", async () => {
    const key = await alice.create(app);
    await alice.get(app, "/login");
    const staleCookie = alice.cookie;
    const mine = await alice.create(app);
    await app.sessions.killAllSessions();
    alice.cookie = staleCookie;
    expect(await alice.validate(app, mine)).toBeUndefined();
    expect(await alice.validate(app, key)).toBeUndefined();
  });

  test("P4: the static key stays the same for a session, on every machine, and writes nothing", async () => {
    await alice.get(app, "/set");
    calls.length = 0;
    const key = await alice.get(app, "/static");
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(await alice.get(other, "/static")).toBe(key);
    const masked = [await alice.get(app, "/masked"), await alice.get(other, "/masked")];
    expect(masked[0]).not.toBe(masked[1]);
    for (const one of [key, ...masked]) expect(await alice.post(other, "/is-static", { key: one })).toBe(true);
    expect(new Set(calls)).toEqual(new Set(["load"]));
  });

  test("a key that is read right after a login is the new session's", async () => {
    const key = await alice.get(app, "/login");
    expect(await alice.get(other, "/static")).toBe(key);
  });

  test("a stranger who is shown a key gets the session that it belongs to", async () => {
    const key = await alice.get(app, "/static");
    expect(alice.cookie).not.toBe("");
    expect(await alice.post(other, "/is-static", { key })).toBe(true);
  });

  test("P6: neither keys nor the token are in the store, in the log, or in what is inspected", async () => {
    const output = captureOutput();
    let stored: string;
    const secrets: string[] = [];
    try {
      secrets.push(await alice.create(app), await alice.create(app, { payload: "for my eyes" }));
      secrets.push(await alice.get(app, "/static"), await alice.get(app, "/masked"));
      secrets.push(alice.cookie.slice(alice.cookie.indexOf("=") + 1));
      stored = (await bytes()).toString("latin1");
      expect(await alice.validate(app, secrets[0])).toBe(true);
    } finally {
      output.stop();
    }
    expect(stored).toContain("for my eyes");
    for (const secret of secrets) {
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(Buffer.from(secret, "base64url").toString("latin1"));
      expect(output.text()).not.toContain(secret);
    }
    expect(app.errors).toEqual([]);
  });
});

describe("security keys in a request", () => {
  test("what is inspected shows no key", async () => {
    await inRequest(async (req) => {
      const { securityKeys } = req.session;
      const keys = [securityKeys.staticKey, await securityKeys.create({ payload: "mine" })];
      const shown = [securityKeys, req.session, [req.session]].map((one) =>
        inspect(one, { showHidden: true, getters: true, depth: 9 }),
      );
      shown.push(JSON.stringify(securityKeys));
      for (const text of shown) for (const secret of [...keys, "mine"]) expect(text).not.toContain(secret);
    });
  });

  test.each([0, -1, NaN, "0", "-1m", "soon", "", null, {}, "1".repeat(200)])(
    "expiresIn: %p is a RangeError that has a code",
    async (expiresIn) => {
      const creating = inRequest((req) => req.session.securityKeys.create({ expiresIn } as object));
      await expect(creating).rejects.toBeInstanceOf(RangeError);
      await expect(creating).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    },
  );

  test("what can't be a payload or an option is refused by name", async () => {
    const create = (options: unknown) => inRequest((req) => req.session.securityKeys.create(options as object));
    await expect(create({ payload: { fn: () => 1 } })).rejects.toMatchObject({
      code: "SESSION_VALUE",
      message: expect.stringContaining("payload.fn"),
    });
    await expect(create({ expires: 5 })).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    await expect(create("10m")).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    await expect(create({ payload: "x".repeat(600_000) })).rejects.toMatchObject({ code: "SESSION_TOO_LARGE" });
  });

  test("payloads count toward maxBytes, also where the session is stored already", async () => {
    const creating = inRequest(
      async ({ session }) => {
        session.set("tea", "black");
        await session.save();
        for (let i = 0; i < 20; i += 1) await session.securityKeys.create({ payload: "x".repeat(1000) });
      },
      { maxBytes: 10_000 },
    );
    await expect(creating).rejects.toMatchObject({ code: "SESSION_TOO_LARGE" });
  });

  test("a payload is any value that a session holds", async () => {
    const payload = { on: new Date(0), teas: new Map([["a", 1n]]), none: undefined };
    const answer = await inRequest(async ({ session: { securityKeys } }) =>
      securityKeys.validate(await securityKeys.create({ payload })),
    );
    expect(answer).toEqual(payload);
  });

  test("expiresIn: Infinity lasts as long as the session", async () => {
    const answer = await inRequest(async ({ session: { securityKeys } }) =>
      securityKeys.validate(await securityKeys.create({ expiresIn: Infinity })),
    );
    expect(answer).toBe(true);
  });

  test("the session that regenerate() leaves behind has no keys, the new one has its own", async () => {
    await inRequest(async (req) => {
      const old = req.session;
      const before = old.securityKeys.staticKey;
      await old.regenerate();
      expect(() => old.securityKeys).toThrow(expect.objectContaining({ code: "SESSION_DETACHED" }));
      expect(req.session.securityKeys.staticKey).not.toBe(before);
    });
  });

  test("reset also gives another key where nothing is stored yet", async () => {
    await inRequest(async ({ session }) => {
      const before = session.securityKeys.staticKey;
      await session.reset();
      expect(session.securityKeys.isStaticKey(before)).toBe(false);
      expect(session.securityKeys.staticKey).not.toBe(before);
    });
  });

  test("a destroyed session shows no key any more", async () => {
    const shown = inRequest(async ({ session }) => {
      session.set("a", 1);
      await session.save();
      await session.destroy();
      return session.securityKeys.staticKey;
    });
    await expect(shown).rejects.toMatchObject({ code: "SESSION_ENDED" });
  });

  test("once the headers are gone, a stranger can't be shown a key", async () => {
    const shown = inRequest((req) => {
      req.res!.write("first");
      return req.session.securityKeys.staticKey;
    });
    await expect(shown).rejects.toMatchObject({ code: "SESSION_HEADERS_SENT" });
  });
});
