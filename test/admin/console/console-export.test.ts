import { MemoryStore } from "../../../lib/stores/memory-store";
import { send } from "../../support/app";
import { startConsole } from "../../support/console-app";
import type { ConsoleApp } from "../../support/console-app";
import { describeOnEveryStore } from "../../support/every-store";
import { idOf } from "../../support/session-life";
import { sessionRecord } from "../../support/session-records";

describeOnEveryStore("the console's CSV file", (every) => {
  test("has each session that the filters find, once", async () => {
    const store = await every.open();
    const app = await startConsole({ store });
    try {
      const root = await app.login("root");
      const records = Array.from({ length: 140 }, (_, i) => sessionRecord({ owner: `user-${i % 7}` }));
      await Promise.all(records.map((record) => store.create(record)));
      const ids = async (query: string) => (await linesOf(app, root, query)).slice(1).map(([id]) => id);
      const all = await ids("");
      expect([all.length, new Set(all).size]).toEqual([141, 141]);
      expect(await ids("?q=user-3")).toHaveLength(20);
      expect(await ids("?user=user-3")).toHaveLength(20);
      expect(await ids("?who=guests")).toHaveLength(0);
      expect(await ids("?state=ended")).toHaveLength(0);
    } finally {
      await app.close();
    }
  });
});

describe("the console's CSV file", () => {
  let app: ConsoleApp;
  let root: string;
  beforeEach(async () => {
    app = await startConsole();
    root = await app.login("root");
  });
  afterEach(() => app.close());

  test("is a download that no cache keeps, and the audit knows of each", async () => {
    for (let n = 0; n < 2; n += 1) {
      const { status, headers, body } = await app.open(root, "/export.csv");
      expect([status, headers["content-type"]]).toEqual([200, "text/csv; charset=utf-8; header=present"]);
      expect(headers["content-disposition"]).toMatch(/^attachment; filename="sessions-\d{4}-\d\d-\d\d\.csv"$/);
      expect(headers["cache-control"]).toBe("no-store");
      expect(body.startsWith('\ufeff"id","user","project"')).toBe(true);
      expect(body).not.toContain(root.split("=")[1]);
    }
    const exports = app.entries.filter(({ action }) => action === "export");
    expect(exports).toMatchObject([
      { actor: "root", result: "allowed" },
      { actor: "root", result: "allowed" },
    ]);
    const head = await send("HEAD", `${app.url}/admin/sessions/export.csv`, { cookie: root });
    expect(head).toMatchObject({ status: 200, body: "" });
  });

  test.each([
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1",
    '=HYPERLINK("https://x","y")',
    'a "quoted", name\nand more',
  ])("keeps %j a text, and nobody's formula", async (user) => {
    await app.login(user);
    const users = (await linesOf(app, root, "")).map(([, name]) => name);
    expect(users).toContain(/^[=+\-@\t＝]/.test(user) ? `'${user}` : user);
  });

  test("has the other client of a session", async () => {
    const pages = { "@": { path: "203.0.113.9", title: "curl/8", openedAt: 1, seenAt: 1 } };
    const alice = await app.login("alice");
    expect(idOf(alice)).toHaveLength(43);
    const record = sessionRecord({ owner: "bob", pages });
    await app.close();
    const store = new MemoryStore();
    await store.create(record);
    app = await startConsole({ store });
    root = await app.login("root");
    const lines = await linesOf(app, root, "?user=bob");
    const at = (name: string) => lines[1]![lines[0]!.indexOf(name)];
    expect([at("other address"), at("other user agent")]).toEqual(["203.0.113.9", "curl/8"]);
  });
});

/** The fields of each line; all are quoted. (RFC 4180) */
async function linesOf(app: ConsoleApp, cookie: string, query: string): Promise<string[][]> {
  const { status, body } = await app.open(cookie, `/export.csv${query}`);
  expect(status).toBe(200);
  const lines = body.slice(1).match(/(?:"(?:[^"]|"")*",?)+\r\n/g) ?? [];
  expect(lines.join("")).toBe(body.slice(1));
  return lines.map((line) => [...line.matchAll(/"((?:[^"]|"")*)"/g)].map(([, field]) => field!.replaceAll('""', '"')));
}
