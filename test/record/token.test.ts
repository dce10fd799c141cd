import { isToken, newToken, sessionIdOf } from "../../lib/record/token";

describe("token", () => {
  it("is 32 bytes of base64url, and never the same", () => {
    const tokens = new Set(Array.from({ length: 1000 }, newToken));
    expect(tokens.size).toBe(1000);
    for (const token of tokens) {
      expect(isToken(token)).toBe(true);
      expect(Buffer.from(token, "base64url")).toHaveLength(32);
      expect(Buffer.from(token, "base64url").toString("base64url")).toBe(token);
    }
  });

  it.each([
    ["too short", newToken().slice(1)],
    ["too long", `${newToken()}A`],
    ["another alphabet", `${newToken().slice(0, 41)}+A`],
    ["padding", `${newToken().slice(0, 42)}=`],
    ["a last character with stray bits", `${newToken().slice(0, 42)}B`],
    ["a NUL", `${newToken().slice(0, 41)}\0A`],
    ["a line end after it", `${newToken()}\n`],
    ["nothing", ""],
  ])("refuses %s", (_name, text) => {
    expect(isToken(text)).toBe(false);
  });

  it("has an id from which nobody gets back to it", () => {
    const token = newToken();
    expect(sessionIdOf(token)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(sessionIdOf(token)).not.toBe(token);
    expect(sessionIdOf("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  });
});
