import { source as axe } from "axe-core";
import type { AxeResults } from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { howMany } from "../support/how-many";
import { eventually } from "../support/eventually";
import { killed, sessionRecord } from "../support/session-records";
import { browsedTeaHouse } from "./browsed-tea-house";

// A test walks through many pages. The browser reports a step that hangs, after half a minute.
jest.setTimeout(180_000);

const CONSOLE = "/admin/sessions";
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };
const LOOKS = [
  ["light", DESK],
  ["dark", PHONE],
  ["dark", DESK],
  ["light", PHONE],
] as const;
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** The browser's own: `evaluate` runs functions there. */
declare const document: { activeElement: { textContent: string } };

describe("the console's list in a browser", () => {
  const shop = browsedTeaHouse();

  async function signedIn(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await shop().signedIn("admin", { viewport: DESK, ...options });
    await page.goto(CONSOLE + path);
    return page;
  }

  const row = (page: Page, user: string) => page.getByRole("row").filter({ hasText: user });
  const users = async (page: Page) => page.locator("tbody th a bdi").allInnerTexts();

  test.each([
    ["with its script", true],
    ["without script", false],
  ])("sort, tick two, end them, and be back on the same page: %s", async (_how, javaScriptEnabled) => {
    const now = Date.now();
    for (const [index, owner] of ["carol", "bob", "dan"].entries()) {
      await shop().store.create(sessionRecord({ owner, createdAt: now - 60_000 * (index + 1) }));
    }
    const admin = await signedIn("/list?who=signed-in", { javaScriptEnabled });
    expect(await users(admin)).toEqual(["admin", "carol", "bob", "dan"]);
    await admin.getByRole("columnheader", { name: "User" }).getByRole("link").click();
    expect(await users(admin)).toEqual(["admin", "bob", "carol", "dan"]);
    await admin.getByRole("checkbox", { name: "Tick the session of bob" }).check();
    await admin.getByRole("checkbox", { name: "Tick the session of dan" }).check();
    await admin.getByRole("button", { name: javaScriptEnabled ? "End the 2 ticked…" : "End the ticked ones…" }).click();
    await admin.getByRole("button", { name: "End the ticked sessions" }).click();
    await admin.getByRole("status").getByText("2 sessions ended.").waitFor();
    expect(await users(admin)).toEqual(["admin", "carol"]);
    const { searchParams } = new URL(admin.url());
    expect([searchParams.get("sort"), searchParams.get("who")]).toEqual(["user", "signed-in"]);
    expect(searchParams.has("done")).toBe(!javaScriptEnabled);
    expect(await admin.evaluate(() => document.activeElement.textContent)).toContain("2 sessions ended.");
  });

  test("an update keeps ticks, the focus and the order, also of a row that would be gone", async () => {
    for (const owner of ["bob", "carol"]) await shop().store.create(sessionRecord({ owner }));
    const admin = await signedIn("/list?sort=user");
    const bob = admin.getByRole("checkbox", { name: "Tick the session of bob" });
    await bob.check();
    await bob.focus();
    await shop().store.create(sessionRecord({ owner: "alice" }));
    await row(admin, "alice").waitFor();
    expect(await users(admin)).toEqual(["admin", "alice", "bob", "carol"]);
    expect(await bob.isChecked()).toBe(true);
    expect(await bob.evaluate((box) => box === (document.activeElement as unknown))).toBe(true);
    await shop().sessions.killSessionByUser("bob");
    await shop().sessions.killSessionByUser("carol");
    await eventually(async () => (await row(admin, "carol").count()) === 0);
    expect(await bob.isChecked()).toBe(true);
    await bob.uncheck();
    await eventually(async () => (await row(admin, "bob").count()) === 0);
  });

  test("one tick ticks the whole page", async () => {
    for (const owner of ["bob", "carol"]) await shop().store.create(sessionRecord({ owner }));
    const admin = await signedIn("/list?who=signed-in");
    await admin.getByRole("checkbox", { name: "Tick all on this page" }).check();
    await admin.getByRole("button", { name: "End the 3 ticked…" }).click();
    expect(await admin.getByRole("main").innerText()).toContain("Your own session is among them");
  });

  test("the word of what was done stays while the page updates itself", async () => {
    await shop().store.create(sessionRecord({ owner: "bob" }));
    const admin = await signedIn("/list");
    await row(admin, "bob").getByRole("link", { name: /^End/ }).click();
    await admin.getByRole("button", { name: "End the session" }).click();
    await admin.getByRole("status").getByText("1 session ended.").waitFor();
    await shop().store.create(sessionRecord({ owner: "carol" }));
    await row(admin, "carol").waitFor();
    expect(await admin.getByRole("status").getByText("1 session ended.").count()).toBe(1);
  });

  test("the header signs out, and leads to the app", async () => {
    const admin = await signedIn("/list");
    await admin.getByRole("button", { name: "Sign out" }).click();
    await admin.waitForURL((url) => url.pathname === "/");
    await admin.goto(CONSOLE);
    expect(new URL(admin.url()).pathname).toBe("/sign-in");
  });

  test("axe finds nothing on any page, in light and dark, on a desk and on a phone", async () => {
    const now = Date.now();
    const pages = { "@": { path: "203.0.113.9", title: FIREFOX, openedAt: now, seenAt: now } };
    const record = sessionRecord({ owner: "carol", project: "shop", pages });
    await shop().store.create(record);
    for (let n = 0; n < 60; n += 1) await shop().store.create(sessionRecord({ owner: n % 2 ? "dan" : "__guest__" }));
    const gone = sessionRecord({ owner: "carol" });
    await shop().store.create(gone);
    await shop().store.end(gone.id, { ...killed(), message: "Good-bye" });
    // The console's policy would keep axe out.
    const admin = await signedIn("/", { bypassCSP: true });
    const paths = [
      ...["/", "/list", "/list?page=2", "/list?state=ended", "/list?q=nobody", "/user?user=carol"],
      ...[`/session/${record.id}`, `/session/${gone.id}`, "/none", "/end/ticked"],
      ...[`/end/ticked?id=${record.id}`, "/end/everyone", "/end/user?user=dan"],
    ];
    for (const path of paths) {
      await admin.goto(CONSOLE + path);
      await admin.evaluate(axe);
      for (const [colorScheme, viewport] of LOOKS.slice(0, howMany(2, 4))) {
        await admin.emulateMedia({ colorScheme });
        await admin.setViewportSize(viewport);
        const { violations, passes } = await admin.evaluate<AxeResults>("axe.run()");
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
        expect([path, colorScheme, viewport, found]).toEqual([path, colorScheme, viewport, []]);
        expect(passes.length).toBeGreaterThan(10);
      }
    }
  });
});
