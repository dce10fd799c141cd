import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Sessions, SessionError } from "../../lib";
import type { SessionOptions } from "../../lib";
import { resolveOptions } from "../../lib/options/session-options";
import { MemoryStore } from "../../lib/stores/memory-store";

/** The error that options are refused with; what is wrong on purpose has no type. */
function refusal(options: unknown): SessionError {
  try {
    resolveOptions(options as SessionOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ code: "SESSION_CONFIG" });
    return error as SessionError;
  }
  throw new Error("These options were taken.");
}

const secret = () => randomBytes(32).toString("base64url");

describe("options", () => {
  it("follow the machine's clock, also one that a test fakes later", () => {
    const { now } = resolveOptions({});
    const clock = jest.spyOn(Date, "now").mockReturnValue(42);
    expect(now()).toBe(42);
    clock.mockRestore();
  });

  it("need not be given, and have the documented defaults", () => {
    for (const options of [undefined, {}]) {
      expect(resolveOptions(options)).toMatchObject({
        store: undefined,
        cookie: {
          ...{ name: "sid", path: "/", domain: undefined, sameSite: "lax", secure: "auto" },
          ...{ priority: undefined, partitioned: false, persistent: false, prefix: true },
        },
        limits: { idleMs: 3_600_000, absoluteMs: 86_400_000 },
        rememberMs: 30 * 86_400_000,
        touchIntervalMs: 300_000,
        keepOnLogin: ["language"],
        keepOnLogout: ["language"],
        keepEndedMs: 86_400_000,
        clearSchedule: "*/15 * * * *",
        secrets: [],
        project: "",
        storeTimeoutMs: 5_000,
        leaseMs: 900_000,
        killCheckMs: 5_000,
        maxBytes: 524_288,
        now: expect.any(Function),
      });
    }
  });

  it("that are undefined have their defaults", () => {
    const names = ["store", "cookie", "idleTimeout", "secrets", "clearSchedule", "now", "maxBytes", "project", "scope"];
    const given = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(resolveOptions(given as SessionOptions)).toMatchObject({
      cookie: { name: "sid" },
      rememberMs: 2_592_000_000,
    });
  });

  it("are refused before anything is opened", () => {
    expect(() => new Sessions({ store: new MemoryStore(), idleTimeout: 0 })).toThrow(SessionError);
  });

  it.each([null, "a secret of 32 bytes or more, maybe", 5, true])(
    "must be an object, not %j, and the message does not repeat it",
    (given) => {
      const { message } = refusal(given);
      expect(message).toContain("{ idleTimeout: ");
      expect(message).not.toContain(String(given));
    },
  );

  it.each([
    ["idletimeout", "did you mean idleTimeout?"],
    ["secret", "did you mean secrets?"],
    ["absoluteTimout", "did you mean absoluteTimeout?"],
    ["stores", "did you mean store?"],
    ["absoultTimeout", "did you mean absoluteTimeout?"],
    ["anything", "the options are store, cookie, "],
    ["__proto__x", "the options are "],
  ])("that do not exist are refused: %s", (name, hint) => {
    const { message } = refusal({ [name]: true });
    expect(message).toContain(`There is no option ${name}`);
    expect(message).toContain(hint);
  });

  it.each([
    ["samesite", "did you mean cookie.sameSite?"],
    ["presistent", "did you mean cookie.persistent?"],
    ["anything", "the options are name, path, "],
  ])("of the cookie that do not exist are refused: %s", (name, hint) => {
    const { message } = refusal({ cookie: { [name]: true } });
    expect(message).toContain(`There is no option cookie.${name}`);
    expect(message).toContain(hint);
  });
});

const TIMERS = ["storeTimeout", "leaseTimeout", "killCheckInterval"];

/** An option, a value that it can't have, and what the message says instead. */
const REFUSED: [string, unknown, string][] = [
  ...["idleTimeout", "absoluteTimeout", "rememberTimeout", "touchInterval", "keepEnded", ...TIMERS].flatMap(
    (name): [string, unknown, string][] => [
      [name, "soon", '"15m"'],
      [name, "", '"15m"'],
      [name, "-5m", "more than zero"],
      [name, -1, "more than zero"],
      [name, NaN, '"15m"'],
      [name, true, '"15m"'],
      [name, {}, '"15m"'],
      [name, "200y", "it may be at most "],
      [name, "x".repeat(200), '"15m"'],
    ],
  ),
  ...["idleTimeout", "absoluteTimeout", "rememberTimeout", "touchInterval", ...TIMERS].map(
    (name): [string, unknown, string] => [name, 0, "more than zero"],
  ),
  ...["rememberTimeout", "touchInterval", "keepEnded", ...TIMERS].map((name): [string, unknown, string] => [
    ...([name, Infinity, "finite"] as const),
  ]),
  ["touchInterval", 3_600_000, "less than idleTimeout"],
  ["touchInterval", 7_200_000, "less than idleTimeout"],
  ...TIMERS.map((name): [string, unknown, string] => [name, "30d", "it may be at most 2147483647 ms"]),
  ["store", {}, "SessionStore"],
  ["store", "a string is meant here, and not repeated", "SessionStore"],
  ["store", { load: () => undefined }, "create, update"],
  ["cookie", "sid", "give an object"],
  ["keepOnLogin", "language", "an array of strings"],
  ["keepOnLogin", [1], "an array of strings"],
  ["keepOnLogout", { language: true }, "an array of strings"],
  ["clearSchedule", "every hour", "*/15 * * * *"],
  ["clearSchedule", "99 * * * *", "*/15 * * * *"],
  ["clearSchedule", "", "false"],
  ["clearSchedule", true, "false"],
  ["clearSchedule", 15, "*/15 * * * *"],
  ["userOf", "user", "a function of (session)"],
  ["project", "tea house", "letters"],
  ["project", "x".repeat(65), "64"],
  ["project", 5, "letters"],
  ["scope", 5, "a function of (req), or a string"],
  ["maxBytes", "1MB", "whole number"],
  ["maxBytes", 1000, "1024 or more"],
  ["maxBytes", 4096.5, "whole number"],
  ["maxBytes", Infinity, "whole number"],
  ["now", 5, "a function"],
  ...["store", "cookie", "idleTimeout", "keepOnLogin", "clearSchedule", "secrets", "userOf", "scope", "now"].map(
    (name): [string, unknown, string] => [name, null, "leave it out"],
  ),
];

const REFUSED_OF_COOKIE: [string, unknown, string][] = [
  ["name", "", "up to 128"],
  ["name", "my sid", "up to 128"],
  ["name", "sid;x", "up to 128"],
  ["name", "sid=x", "up to 128"],
  ["name", "x".repeat(129), "up to 128"],
  ["name", "é", "up to 128"],
  ["name", 5, "up to 128"],
  ["name", "__Host-sid", "leave the prefix out"],
  ["name", "__secure-sid", "leave the prefix out"],
  ["path", "shop", 'starts with "/"'],
  ["path", "/shop; Secure", 'starts with "/"'],
  ["path", "/a\r\nX: y", 'starts with "/"'],
  ["path", 5, 'starts with "/"'],
  ["domain", "https://example.com", "example.com"],
  ["domain", "example.com; Path=/", "example.com"],
  ["domain", "", "example.com"],
  ["domain", true, "example.com"],
  ["sameSite", "Lax", "'strict', 'lax', 'none'"],
  ["sameSite", true, "'strict', 'lax', 'none'"],
  ["sameSite", null, "leave it out"],
  ["secure", "always", "true, false, 'auto'"],
  ["secure", 1, "true, false, 'auto'"],
  ["priority", "High", "'low', 'medium', 'high'"],
  ["partitioned", "yes", "true or false"],
  ["persistent", 1, "true or false"],
];

describe("an option of the wrong type or value is refused by its name, with the value and what to write instead", () => {
  const all = [...REFUSED, ...REFUSED_OF_COOKIE.map(([name, ...rest]) => [`cookie.${name}`, ...rest] as const)];

  it.each(all)("%s: %j", (name, value, instead) => {
    const [first, second] = name.split(".") as [string, string?];
    const { message } = refusal({ [first]: second === undefined ? value : { [second]: value } });
    expect(message).toMatch(new RegExp(`^Option ${name.replace(".", "\\.")} can't be `));
    expect(message).toContain(instead);
    if (typeof value === "string" && value.length < 20) expect(message).toContain(value.split("\r")[0]);
  });

  it.each([
    [{ cookie: { sameSite: "none", secure: false } }, "cookie.sameSite"],
    [{ cookie: { partitioned: true, secure: false } }, "cookie.partitioned"],
  ])("what contradicts another option: %j", (options, name) => {
    const { message } = refusal(options);
    expect(message).toContain(`Option ${name}`);
    expect(message).toContain("set cookie.secure to true");
  });
});

describe("durations", () => {
  it.each([
    [90_000, 90_000],
    ["90", 90],
    ["90s", 90_000],
    ["1.5h", 5_400_000],
    ["2 days", 172_800_000],
  ])("are milliseconds or what the ms package reads: %j", (given, idleMs) => {
    expect(resolveOptions({ idleTimeout: given as number, touchInterval: "1ms" }).limits.idleMs).toBe(idleMs);
  });

  it("can be infinite, and zero, where that means something", () => {
    const { limits, keepEndedMs } = resolveOptions({ idleTimeout: Infinity, absoluteTimeout: Infinity, keepEnded: 0 });
    expect([limits, keepEndedMs]).toEqual([{ idleMs: Infinity, absoluteMs: Infinity }, 0]);
  });

  it("renew lastSeenAt every tenth of a short idleTimeout", () => {
    expect(resolveOptions({ idleTimeout: "10m" }).touchIntervalMs).toBe(60_000);
    expect(resolveOptions({ idleTimeout: "2h" }).touchIntervalMs).toBe(300_000);
  });
});

describe("secrets", () => {
  const short = "short".repeat(6);
  const wrong: [string, unknown, string][] = [
    ["an array of none, as a missing variable leaves it", [], "leave it out"],
    ["a secret that is no array", secret(), "an array"],
    ["a secret of under 32 bytes", [secret(), short], "has a secret of under 32 bytes at index 1"],
    ["an empty secret", [""], "has a secret of under 32 bytes at index 0"],
    [
      "the secret of every tutorial",
      ["keyboard cat keyboard cat keyboard cat"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "a secret that asks to be changed",
      ["please-change-me-0123456789-abcdefghij"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "the password of a README",
      ["complex_password_at_least_32_characters_long"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "the secret of another README",
      ["a secret with minimum length of 32 characters"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "words run together",
      ["averylogphrasebiggerthanthirtytwochars"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "the famous horse",
      ["Correct-Horse-Battery-Staple-Correct"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "digits in their order",
      ["12345678901234567890123456789012"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "letters in their order",
      [`${short}abcdefghijklmnop`],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    [
      "the keys of a keyboard",
      ["qwertyuiopasdfghjklzxcvbnm-QWERTYUIOP"],
      "has an example, or a secret that is easy to guess, at index 0",
    ],
    ["a secret of few characters", ["ab".repeat(40)], "has an example, or a secret that is easy to guess, at index 0"],
    ["a secret that the environment lacks", [undefined], "the value at index 0 is not one"],
    ["a buffer", [randomBytes(32)], "the value at index 0 is not one"],
  ];

  it.each(wrong)("P6: refuse %s, and never repeat the value", (_what, secrets, why) => {
    const { message } = refusal({ secrets });
    expect(message).toMatch(/^Option secrets /);
    expect(message).toContain(why);
    expect(message).toContain("npx coatcheck secret");
    for (const value of [secrets].flat()) {
      if (typeof value === "string" && value !== "") expect(message).not.toContain(value);
    }
  });

  it("are never refused where they are random", () => {
    const made = Array.from({ length: 2000 }, (_, n) => randomBytes(48).toString(n % 2 === 0 ? "base64" : "hex"));
    expect(resolveOptions({ secrets: made }).secrets).toEqual(made);
  });

  it("take several, newest first, and none", () => {
    const given = [secret(), secret()];
    expect(resolveOptions({ secrets: given }).secrets).toEqual(given);
    expect(resolveOptions({}).secrets).toEqual([]);
  });
});

describe("the scope", () => {
  const request = { headers: { host: "shop.example" } } as unknown as IncomingMessage;

  it("is a name, or a function of the request", () => {
    expect(resolveOptions({ scope: "kiosk" }).scopeOf(request)).toBe("kiosk");
    expect(resolveOptions({ scope: (req) => req.headers.host ?? "" }).scopeOf(request)).toBe("shop.example");
  });

  it.each([undefined, null, 5, Promise.resolve("kiosk")])("is refused where its function returns %j", (name) => {
    const { scopeOf } = resolveOptions({ scope: () => name as unknown as string });
    expect(() => scopeOf(request)).toThrow(expect.objectContaining({ code: "SESSION_CONFIG" }));
    expect(() => scopeOf(request)).toThrow("must return a string");
  });
});

describe("the clearing schedule", () => {
  it.each(["0 3 * * *", "*/5 * * * *", "30 4 1 * *", "0 0 * * sun"])("takes %s", (clearSchedule) => {
    expect(resolveOptions({ clearSchedule }).clearSchedule).toBe(clearSchedule);
  });

  it("can be turned off", () => {
    expect(resolveOptions({ clearSchedule: false }).clearSchedule).toBe(false);
  });

  it("is also checked where it is given later", async () => {
    const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
    expect(() => sessions.startClearSessions("now and then")).toThrow(
      expect.objectContaining({ code: "SESSION_CONFIG", message: expect.stringContaining("now and then") }),
    );
    await sessions.close();
  });
});
