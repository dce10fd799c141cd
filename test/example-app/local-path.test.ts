import { localPath } from "../../example-app/local-path";

describe("localPath", () => {
  test.each(["/", "/cart", "/?kind=green", "/teas/matcha", "/sign-in?next=%2Fcart"])(
    "%j is a path of this site",
    (path) => {
      expect(localPath(path)).toBe(path);
    },
  );

  test.each([
    "",
    "cart",
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "javascript:alert(1)",
    "http:/\\evil.example",
    "//[",
  ])("%j leads elsewhere, so the fallback is taken", (value) => {
    expect(localPath(value, "/fallback")).toBe("/fallback");
  });
});
