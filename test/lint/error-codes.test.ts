import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (path: string) => readFileSync(join(__dirname, "../..", path), "utf8");

it("the guide for operators has every error code once, with its status, and no other", () => {
  const [, table = ""] = /STATUS_OF = \{([^]*?)\} as const/.exec(read("lib/errors.ts")) ?? [];
  const codes = [...table.matchAll(/^ {2}([A-Z_]+): (\d{3}),$/gm)].map(([, code, status]) => `${code} ${status}`);
  const rows = [...read("docs/operate.md").matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)];
  expect(codes.length).toBeGreaterThan(20);
  expect(rows.map(([, code, status]) => `${code} ${status}`).sort()).toEqual(codes.sort());
});
