import { kindOf, quoted, shownText, shownValue } from "../../lib/record/shown-text";
import { newToken } from "../../lib/record/token";

describe("foreign text in a message", () => {
  it.each([
    ["a name", "cart.items[3].toPrice", "cart.items[3].toPrice"],
    ["a line break", "a\r\nSet-Cookie: b", "a\\u{d}\\u{a}Set-Cookie: b"],
    ["a terminal's commands", "\u001b[2J", "\\u{1b}[2J"],
    ["what turns its order around", "a\u202eb", "a\\u{202e}b"],
    ["half a character", "a\ud83cb", "a\\u{d83c}b"],
    ["other scripts and pictures", "茶 🍵 šālaj", "茶 🍵 šālaj"],
  ])("is escaped where it could do something: %s", (_what, text, shown) => {
    expect(shownText(text)).toBe(shown);
  });

  it("is in quotes, and the quotes in it are escaped", () => {
    expect(quoted('say "tea"\n')).toBe('"say \\"tea\\"\\n"');
    expect(quoted("\u202e")).toBe('"\\u{202e}"');
  });

  it("has at most 200 characters, the first and the last ones", () => {
    const long = `start ${"x ".repeat(500_000)}end`;
    for (const shown of [shownText(long), quoted(long).slice(1, -1)]) {
      expect(shown).toHaveLength(200);
      expect(shown).toMatch(/^start x .*… ?x .*end$/);
    }
  });

  it("P6: never has a token in it, nor part of one, however it was wrapped", () => {
    for (let n = 0; n < 200; n += 1) {
      const token = newToken();
      const wrapped = [
        token,
        `sid=${token}`,
        `${token}.${newToken()}`,
        `x${token}`,
        `${" ".repeat(90)}${token} ${" ".repeat(99)}`,
      ];
      for (const text of wrapped) {
        for (const shown of [shownText(text), quoted(text), shownValue(text)]) {
          expect(shown).not.toContain(token.slice(0, 12));
          expect(shown).not.toContain(token.slice(-12));
        }
      }
    }
  });
});

describe("a value in a message", () => {
  class Client {
    readonly password = "hunter2";
  }
  it.each<[unknown, string]>([
    ["soon", "'soon'"],
    [5, "5"],
    [-0, "0"],
    [NaN, "NaN"],
    [7n, "7n"],
    [true, "true"],
    [null, "null"],
    [undefined, "undefined"],
    [Symbol("hunter2"), "a symbol"],
    [{ password: "hunter2" }, "an object"],
    [Object.create(null), "an object"],
    [["hunter2"], "an array"],
    [new Map([["hunter2", "hunter2"]]), "an instance of Map"],
    [new Client(), "an instance of Client"],
    [Client, "the class Client"],
    [new (class {})(), "an object"],
    [() => "hunter2", "a function"],
    ["redis://default:hunter2@cache:6379", "'redis://…'"],
    ["https://shop.example/?key=hunter2", "'https://…'"],
    ["https://shop.example", "'https://shop.example'"],
  ])("is shown without what it holds: %p", (value, shown) => {
    expect(shownValue(value)).toBe(shown);
  });

  it.each<[unknown, string]>([
    [undefined, "undefined"],
    [null, "null"],
    [[], "an array"],
    [{}, "an object"],
    ["a", "a string"],
    [1n, "a bigint"],
  ])("has a kind: %p", (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });
});
