import { inspect } from "node:util";
import { randomBytes } from "node:crypto";
import { shownValue } from "../../../lib/record/shown-text";
import type { SessionAttributes, SessionOptions } from "../../../lib";
import { inRequest } from "../../support/in-request";
import { REFUSED } from "../../support/storable-values";

/** Runs this with the attributes of a new session; what is wrong on purpose has no type. */
const run = <T>(body: (attributes: SessionAttributes & Record<string, any>) => Promise<T>, options?: SessionOptions) =>
  inRequest(({ session }) => body(session.attributes as SessionAttributes & Record<string, any>), options);

const secrets = [randomBytes(32).toString("hex")];
const code = (expected: string) => expect.objectContaining({ code: expected });

describe("the name of an attribute", () => {
  const wrong: [string, unknown, string][] = [
    ["empty", "", "1 to 191"],
    ["too long", "a".repeat(192), "has 192"],
    ["too long, in characters of two units", "🍵".repeat(192), "191 characters"],
    ["far too long", "a".repeat(1_000_000), "191 characters"],
    ["with a line feed", "a\nb", "U+000A at position 1"],
    ["with a zero", "\0", "U+0000"],
    ["with DEL", "\x7f", "U+007F"],
    ["with a C1 control", "a\x9b", "U+009B"],
    ["half a pair", "a\ud800", "well-formed"],
    ...[undefined, null, 5, {}, ["a"], Symbol("a")].map((name): [string, unknown, string] => [
      `a ${typeof name}`,
      name,
      "must be a string",
    ]),
  ];

  it.each(wrong)("that is %s is refused by every call, and nothing is written", async (_what, name, why) => {
    await run(async (attributes) => {
      const calls = [
        () => attributes.create(name as string, 1),
        () => attributes.createMany([{ name: "fine", value: 1 }, { name: name as string, value: 1 }]), // prettier-ignore
        () => attributes.set(name as string, 1),
        () => attributes.update(name as string, 1),
        () => attributes.get(name as string),
        () => attributes.getInfo(name as string),
        () => attributes.getMany([name as string]),
        () => attributes.exists(name as string),
        () => attributes.delete(name as string),
        () => attributes.setExpiry(name as string, 1),
      ];
      for (const call of calls) {
        const calling = call();
        await expect(calling).rejects.toEqual(code("SESSION_ARGUMENT"));
        await expect(calling).rejects.toThrow(why);
      }
      expect(await attributes.names()).toEqual([]);
    });
  });

  it("has at most 191 characters, of any kind", async () => {
    const names = ["a".repeat(191), "🍵".repeat(191), "語".repeat(191)];
    await run(async (attributes) => {
      for (const name of names) await attributes.create(name, 1);
      expect(await attributes.names()).toEqual(names);
    });
  });
});

describe("expiresIn", () => {
  const wrong = [0, -1, NaN, -Infinity, "0", "-5m", "soon", "", null, true, {}, [], 2n ** 60n, 1e300, "200y"];

  it.each(wrong.map((value) => [shownValue(value), value]))("%s is a RangeError", async (echo, value) => {
    await run(async (attributes) => {
      await attributes.create("a", 1);
      const options = { expiresIn: value as number };
      const calls = [
        () => attributes.create("b", 1, options),
        () => attributes.createMany([{ name: "b", value: 1, ...options }]),
        () => attributes.createMany([{ name: "b", value: 1 }], options),
        () => attributes.set("a", 2, options),
        () => attributes.update("a", 2, options),
        () => attributes.setExpiry("a", options.expiresIn),
        () => attributes.setExpiryMany(["a"], options.expiresIn),
      ];
      for (const call of calls) {
        const calling = call();
        await expect(calling).rejects.toBeInstanceOf(RangeError);
        await expect(calling).rejects.toThrow(`expiresIn can't be ${echo}`);
        await expect(calling).rejects.toEqual(code("SESSION_ARGUMENT"));
      }
      expect(await attributes.toObject()).toEqual({ a: 1 });
    });
  });

  it("can't be left out of setExpiry", async () => {
    await run(async (attributes) => {
      await attributes.create("a", 1);
      await expect(attributes.setExpiry("a", undefined as never)).rejects.toBeInstanceOf(RangeError);
    });
  });

  it.each([
    [90, 90],
    ["90s", 90_000],
    ["1.5h", 5_400_000],
    [Infinity, null],
    [undefined, null],
  ] as const)("%j is milliseconds, what ms reads, or as long as the session", async (expiresIn, lifeMs) => {
    const clock = 1_800_000_000_000;
    const info = await run(
      async (attributes) => {
        await attributes.create("a", 1, { expiresIn });
        return attributes.getInfo("a");
      },
      { now: () => clock },
    );
    expect(info?.expiresAt).toEqual(lifeMs === null ? null : new Date(clock + lifeMs));
  });
});

describe("what is to be written", () => {
  it.each<[string, (attributes: Record<string, any>) => Promise<unknown>, string]>([
    ["an option of another system", (a) => a.create("a", 1, { expiration: 60 }), '"expiration"; it takes expiresIn'],
    ["a misspelt option", (a) => a.set("a", 1, { expiresin: 60 }), '"expiresin"'],
    ["an encrypt that is no boolean", (a) => a.create("a", 1, { encrypt: "yes" }), "true or false"],
    ["no options but null", (a) => a.create("a", 1, null), "must be an object"],
    ["options that are a number", (a) => a.create("a", 1, 60), "must be an object"],
    ["one item for many", (a) => a.createMany({ name: "a", value: 1 }), "an array"],
    ["a name for many", (a) => a.deleteMany("abc"), "an array"],
    ["an item that is none", (a) => a.createMany([null]), "must be an object"],
    ["an item without a value", (a) => a.setMany([{ name: "a" }]), "needs a value"],
    ["an unknown field of an item", (a) => a.setMany([{ name: "a", value: 1, ttl: 5 }]), '"ttl"'],
    ["a name twice", (a) => a.setMany([{ name: "a", value: 1 }, { name: "a", value: 2 }]), '"a" is given twice'], // prettier-ignore
  ])("%s is refused, and nothing is written", async (_what, call, why) => {
    await run(async (attributes) => {
      const calling = call(attributes);
      await expect(calling).rejects.toEqual(code("SESSION_ARGUMENT"));
      await expect(calling).rejects.toThrow(why);
      expect(await attributes.names()).toEqual([]);
    });
  });

  it.each(REFUSED)("P9: a value with %s is refused, by its path", async (_what, make, message) => {
    await run(async (attributes) => {
      for (const encrypt of [false, true]) {
        const creating = attributes.create("cart", make(), { encrypt });
        await expect(creating).rejects.toEqual(code("SESSION_VALUE"));
        await expect(creating).rejects.toThrow(message);
      }
    });
  });

  it("can't be encrypted without secrets, and the error says how to make one", async () => {
    await run(async (attributes) => {
      const creating = attributes.create("card", "4111", { encrypt: true });
      await expect(creating).rejects.toEqual(code("SESSION_CONFIG"));
      await expect(creating).rejects.toThrow("npx coatcheck secret");
      expect(await attributes.names()).toEqual([]);
    });
  });
});

describe("the limits of attributes", () => {
  const items = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `n${n}`, value: n }));

  it("are 1,000 in a session, not counting the expired", async () => {
    let clock = Date.now();
    await run(
      async (attributes) => {
        await expect(attributes.createMany(items(1001))).rejects.toEqual(code("SESSION_TOO_LARGE"));
        await attributes.createMany(items(1000), { expiresIn: "1m" });
        await expect(attributes.create("one more", 1)).rejects.toThrow("1001 attributes");
        await attributes.set("n7", "still replaced");
        clock += 60_000;
        await attributes.createMany(items(1000));
        await attributes.deleteMany(["n1"]);
        await attributes.create("one more", 1);
        expect(await attributes.names()).toHaveLength(1000);
      },
      { now: () => clock },
    );
  });

  it("are also maxBytes, including what encryption adds, and not counting the expired", async () => {
    let clock = Date.now();
    const value = "x".repeat(3000);
    await run(
      async (attributes) => {
        await expect(attributes.create("a", "x".repeat(5000))).rejects.toEqual(code("SESSION_TOO_LARGE"));
        await attributes.create("a", value, { expiresIn: "1m" });
        await expect(attributes.create("b", value)).rejects.toEqual(code("SESSION_TOO_LARGE"));
        await expect(attributes.set("a", value + value)).rejects.toEqual(code("SESSION_TOO_LARGE"));
        await attributes.set("a", value + "x");
        clock += 60_000;
        await attributes.create("b", value);
        await attributes.delete("b");
        // As large as fits; encrypted it has 38 bytes more.
        const fitting = "x".repeat(3490);
        await attributes.create("c", fitting);
        await expect(attributes.set("c", fitting, { encrypt: true })).rejects.toEqual(code("SESSION_TOO_LARGE"));
        await attributes.set("c", "");
        expect(await attributes.toObject()).toEqual({ c: "" });
      },
      { now: () => clock, maxBytes: 4096, secrets },
    );
  });

  it("count the data beside them", async () => {
    await inRequest(
      async ({ session }) => {
        await session.attributes.create("a", "x".repeat(3000));
        session.set("tea", "x".repeat(3000));
        await expect(session.save()).rejects.toEqual(code("SESSION_TOO_LARGE"));
        session.delete("tea");
      },
      { maxBytes: 4096 },
    );
  });
});

describe("P6: what logs show of attributes", () => {
  it("is their names and no value, in any object that an app gets", async () => {
    await inRequest(
      async ({ session }) => {
        const { attributes } = session;
        await attributes.create("plain", "a value nobody may read");
        await attributes.create("hidden", "another that stays secret", { encrypt: true });
        const info = await attributes.getInfo("hidden");
        const errors = await Promise.allSettled([
          attributes.create("plain", "a value nobody may read"),
          attributes.update("missing", "another that stays secret"),
          attributes.create("cart", ["a value nobody may read", () => 1]),
          attributes.create("large", "a value nobody may read".repeat(50_000)),
        ]);
        const options = { depth: 9, showHidden: true, getters: true };
        const shown = inspect([session, attributes, info, errors], options) + JSON.stringify([session, attributes]);
        expect(inspect(attributes)).toBe("SessionAttributes { names: [ 'plain', 'hidden' ] }");
        expect(shown).toContain("AttributeInfo {");
        expect(errors.map(({ status }) => status)).toEqual(Array(4).fill("rejected"));
        expect(shown).not.toMatch(/nobody may read|stays secret/);
        expect(shown).not.toContain(secrets[0]);
      },
      { secrets },
    );
  });
});
