import { inspect } from "node:util";
import type { Session } from "../../lib/session/session";
import { RESERVED_NAMES } from "../../lib/session/session-proxy";
import { inRequest } from "../support/in-request";

type AnySession = Session & Record<string, any>;

/** What a handler finds out about a session, without an HTTP client's help. */
async function withSession<T>(body: (session: AnySession) => T | Promise<T>): Promise<T> {
  return inRequest((req) => body(req.session as AnySession));
}

describe("Session is a dict", () => {
  it("sets, reads, deletes and lists its keys as properties and by methods alike", async () => {
    await withSession((session) => {
      session.a = 1;
      session.set("b", 2).set("c", 3);
      expect([session.get("a"), session.b, session.require("c")]).toEqual([1, 2, 3]);
      expect("a" in session && session.has("b")).toBe(true);
      expect("missing" in session || session.has("missing")).toBe(false);
      expect(session.missing).toBeUndefined();
      expect(session.get("missing", "fallback")).toBe("fallback");
      expect(session.size).toBe(3);
      expect(Object.keys(session)).toEqual(["a", "b", "c"]);
      expect(session.keys()).toEqual(["a", "b", "c"]);
      expect(session.values()).toEqual([1, 2, 3]);
      expect([...session]).toEqual(session.items());
      expect({ ...session }).toEqual({ a: 1, b: 2, c: 3 });
      expect(JSON.parse(JSON.stringify(session))).toEqual({ a: 1, b: 2, c: 3 });
      expect(delete session.a).toBe(true);
      expect(delete session.a).toBe(true);
      expect(session.delete("b")).toBe(true);
      expect(session.delete("b")).toBe(false);
      session.remove("c");
      expect(session.size).toBe(0);
    });
  });

  it("has pop, setDefault, merge and clear", async () => {
    await withSession((session) => {
      session.merge({ a: 1, b: 2 });
      Object.assign(session, { c: 3 });
      expect(session.pop("a")).toBe(1);
      expect(session.pop("a", "gone")).toBe("gone");
      expect(session.setDefault("b", 9)).toBe(2);
      expect(session.setDefault("d", 4)).toBe(4);
      session.clear();
      expect(session.items()).toEqual([]);
    });
  });

  it("throws SESSION_KEY for a missing key that has to be there", async () => {
    await withSession((session) => {
      expect(() => session.require("cart")).toThrow(expect.objectContaining({ code: "SESSION_KEY" }));
      expect(() => session.remove("cart")).toThrow('no "cart"');
    });
  });

  it.each(["__proto__", "constructor", "then", "toJSON", "", "🍵", "a.b", "0"])(
    "P9: the key %j is plain data and touches no prototype",
    async (key) => {
      await withSession((session) => {
        expect(key in session).toBe(false);
        expect(session[key]).toBeUndefined();
        session[key] = { polluted: true };
        expect(session[key]).toEqual({ polluted: true });
        expect(session.get(key)).toEqual({ polluted: true });
        expect(Object.keys(session)).toEqual([key]);
        expect(({} as any).polluted).toBeUndefined();
        expect(delete session[key]).toBe(true);
        expect(session.has(key)).toBe(false);
      });
    },
  );

  it.each(["hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"])(
    "has %s as any object does, unless a key has that name",
    async (name) => {
      await withSession((session) => {
        const { prototype }: { prototype: any } = Object;
        expect(session[name]).toBe(prototype[name]);
        expect([name in session, session.has(name), session.get(name, "none")]).toEqual([false, false, "none"]);
        for (const value of ["data", undefined]) {
          session[name] = value;
          expect([session[name], session.get(name, "none"), Object.keys(session)]).toEqual([value, value, [name]]);
        }
        delete session[name];
        expect(session[name]).toBe(prototype[name]);
        expect(Object.keys(session)).toEqual([]);
      });
    },
  );

  /* eslint-disable no-prototype-builtins -- older code asks so, and this is its test */
  it("has the methods of any object", async () => {
    await withSession((session) => {
      session.a = 1;
      session.set("login", true);
      expect([session.hasOwnProperty("a"), session.hasOwnProperty("b"), session.hasOwnProperty("login")]).toEqual([
        ...[true, false, false],
      ]);
      expect(session.valueOf()).toBe(session);
      expect(session.isPrototypeOf({})).toBe(false);
      expect(session.propertyIsEnumerable("a")).toBe(true);
      expect(session.toString()).toBe("[object Object]");
    });
  });
  /* eslint-enable no-prototype-builtins */

  it("takes a key of 1,024 bytes and refuses a longer one", async () => {
    await withSession((session) => {
      const longest = "é".repeat(512);
      session[longest] = 1;
      expect(session.get(longest)).toBe(1);
      const refusal = expect.objectContaining({ code: "SESSION_ARGUMENT" });
      expect(() => session.set(`${longest}x`, 1)).toThrow(refusal);
      expect(() => void (session["x".repeat(1025)] = 1)).toThrow(refusal);
      expect(() => session.set("\ud800", 1)).toThrow(refusal);
      expect(() => session.set(5 as any, 1)).toThrow(refusal);
      expect(() => session.set(undefined as any, 1)).toThrow(refusal);
      expect(session.keys()).toEqual([longest]);
    });
  });

  it.each([...RESERVED_NAMES])("keeps the name %s for itself, and still takes data under it", async (name) => {
    await withSession((session) => {
      expect(() => void ((session as any)[name] = 1)).toThrow(TypeError);
      expect(() => void ((session as any)[name] = 1)).toThrow(
        `write session.set("${name}", value), and read it with session.get("${name}") only`,
      );
      session.set(name, "data");
      expect(session.get(name)).toBe("data");
      expect(session.items()).toEqual([[name, "data"]]);
      expect(Object.keys(session)).toEqual([]);
      expect(session.delete(name)).toBe(true);
    });
  });

  it("enumerates data and no method, also with for-in", async () => {
    await withSession((session) => {
      session.a = 1;
      const seen: string[] = [];
      for (const key in session) seen.push(key);
      expect(seen).toEqual(["a"]);
      expect(Object.getOwnPropertyNames(session)).toEqual(["a"]);
      expect(Object.getOwnPropertySymbols(session)).toEqual([]);
    });
  });

  it("refuses symbols, accessors, freezing and another prototype", async () => {
    await withSession((session) => {
      expect(() => void ((session as any)[Symbol("x")] = 1)).toThrow(TypeError);
      expect(() => Object.defineProperty(session, "x", { get: () => 1 })).toThrow(TypeError);
      expect(() => Object.freeze(session)).toThrow(TypeError);
      expect(() => Object.setPrototypeOf(session, {})).toThrow(TypeError);
      Object.defineProperty(session, "y", { value: 2, writable: true, enumerable: true, configurable: true });
      expect(session.y).toBe(2);
    });
  });

  it("P6: shows keys and no values to console.log, and no token anywhere", async () => {
    await withSession(async (session) => {
      session.secret = "the value";
      await session.save();
      for (const options of [{}, { depth: 10, showHidden: true }]) {
        const shown = inspect(session, options);
        expect(shown).toContain("secret");
        expect(shown).not.toContain("the value");
      }
      expect(String(session)).toBe("[object Session]");
    });
  });

  it("has save on its prototype with a parameter, as express-session has", async () => {
    await withSession((session) => {
      expect(session.save.length).toBeGreaterThanOrEqual(1);
      expect(Object.hasOwn(session, "save")).toBe(false);
      expect("save" in session).toBe(true);
    });
  });

  it("has its id, owner and meta, and knows whether it is new or changed", async () => {
    await withSession(async (session) => {
      expect(session.isNew).toBe(true);
      expect(session.changed).toBe(false);
      session.a = 1;
      expect(session.changed).toBe(true);
      await session.save();
      expect(session.isNew).toBe(false);
      expect(session.changed).toBe(false);
      expect(session.id).toMatch(/^[\w-]{43}$/);
      expect(session.owner).toBe("__guest__");
      expect(session.meta.createdAt).toBeInstanceOf(Date);
      expect(session.meta.expiresAt?.getTime()).toBe(session.meta.lastSeenAt.getTime() + 3_600_000);
      expect(session.meta).toMatchObject({ project: "", scope: "browser", remoteAddress: "127.0.0.1" });
    });
  });

  it("shows a cookie that can be read, and says which option to use instead of setting it", async () => {
    await withSession((session) => {
      expect(session.cookie).toMatchObject({ maxAge: null, expires: null, originalMaxAge: null });
      expect(() => void ((session.cookie as any).maxAge = 1000)).toThrow("idleTimeout");
      expect(() => void ((session.cookie as any).sameSite = "none")).toThrow("cookie.sameSite");
    });
  });
});

describe("session.update", () => {
  it("refuses what is not a function, and what a function must not return", async () => {
    await withSession(async (session) => {
      const refusal = { code: "SESSION_ARGUMENT" };
      await expect(session.update("n", 5 as any)).rejects.toMatchObject(refusal);
      await expect(session.update(5 as any, () => 1)).rejects.toMatchObject(refusal);
      session.n = 1;
      await session.save();
      await expect(session.update("n", () => undefined)).rejects.toMatchObject(refusal);
      await expect(session.update("n", async () => 2)).rejects.toMatchObject(refusal);
      await expect(session.update("n", () => () => 1)).rejects.toMatchObject({ code: "SESSION_VALUE" });
      expect(session.n).toBe(1);
      await expect(session.update("n", (n: any) => n + 1)).resolves.toBe(2);
      expect(session.n).toBe(2);
    });
  });

  it("rejects with what the function throws", async () => {
    await withSession(async (session) => {
      session.n = 1;
      await session.save();
      const thrown = new RangeError("mine");
      await expect(
        session.update("n", () => {
          throw thrown;
        }),
      ).rejects.toBe(thrown);
    });
  });
});
