import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { MESSAGE_PREFIX } from "../../lib/record/open-pages";
import { eventually } from "../support/eventually";
import { sessionRecord } from "../support/session-records";
import { browsedTeaHouse } from "./browsed-tea-house";

// A test waits for several updates. The browser reports a step that hangs, after half a minute.
jest.setTimeout(120_000);

const SCREENSHOTS = resolve(__dirname, "../../.screenshots");
const CONSOLE = "/admin/sessions";
/** How often a page asks, in milliseconds: as the console serves it, and in these tests. */
const UPDATE_MS = { served: 5_000, here: 500 };
const SCRIPT = "<script>document.title='taken over'</script>";

/** The browser's own: `evaluate` runs functions there. */
declare const document: {
  hidden: boolean;
  activeElement: { textContent: string; nodeName: string };
  dispatchEvent(event: unknown): void;
};
declare function getSelection(): { toString(): string };
declare const scrollY: number;

describe("the console, while somebody looks at it", () => {
  const shop = browsedTeaHouse();
  beforeAll(async () => mkdir(SCREENSHOTS, { recursive: true }));

  async function signedIn(username: string, path: string): Promise<Page> {
    const page = await shop().signedIn(username, { viewport: { width: 1280, height: 500 } });
    // The pages ask more often than they do for people, so that the tests need not wait as long.
    await page.context().route(`**${CONSOLE}{,/**}`, async (route) => {
      const response = await route.fetch({ maxRedirects: 0 });
      const body = (await response.text()).replace(`data-live="${UPDATE_MS.served}"`, `data-live="${UPDATE_MS.here}"`);
      await route.fulfill({ response, body });
    });
    await page.goto(path);
    return page;
  }

  const row = (page: Page, user: string) => page.getByRole("row").filter({ hasText: user });

  test("the list and the overview count what comes and goes; focus, scroll, selection and forms stay", async () => {
    for (let n = 10; n < 30; n += 1) await shop().store.create(sessionRecord({ owner: `user${n}` }));
    const admin = await signedIn("admin", `${CONSOLE}/list`);
    const overview = await admin.context().newPage();
    await overview.goto(CONSOLE);
    await admin.bringToFront();
    await admin.getByRole("searchbox", { name: "Find a user, an id or an address" }).fill("half a na");
    await admin.getByRole("searchbox", { name: "User, id or address begins with" }).fill("the other half");
    const target = row(admin, "user20").getByRole("link", { name: "user20", exact: true });
    await target.focus();
    const before = await admin.evaluate(() => scrollY);
    await target.evaluate((element) => {
      (globalThis as unknown as { kept: unknown }).kept = element;
      (getSelection() as unknown as { selectAllChildren(node: unknown): void }).selectAllChildren(element);
    });
    expect(await admin.evaluate(() => getSelection().toString())).toContain("user20");

    const alice = await signedIn("alice", "/cart");
    await shop().sessions.killSessionByUser("user15");
    await row(admin, "alice").waitFor();
    await eventually(async () => (await row(admin, "user15").count()) === 0);
    await eventually(async () => (await row(admin, "alice").getByRole("cell").nth(6).innerText()) === "1");
    await alice.close({ runBeforeUnload: false });
    await eventually(async () => (await row(admin, "alice").getByRole("cell").nth(6).innerText()) === "0");

    expect(await target.evaluate((element) => (globalThis as unknown as { kept: unknown }).kept === element)).toBe(
      true,
    );
    expect(await admin.evaluate(() => document.activeElement.textContent.trim())).toBe("user20");
    expect(await admin.evaluate(() => getSelection().toString())).toContain("user20");
    expect(Math.abs((await admin.evaluate(() => scrollY)) - before)).toBeLessThan(100);
    expect(await admin.getByRole("searchbox", { name: "Find a user, an id or an address" }).inputValue()).toBe(
      "half a na",
    );
    expect(await admin.getByRole("searchbox", { name: "User, id or address begins with" }).inputValue()).toBe(
      "the other half",
    );

    await eventually(async () => (await overview.locator(".figure dd").first().innerText()) === "21");
    await overview.getByRole("row").filter({ hasText: "user15" }).waitFor();
    await overview.screenshot({ path: join(SCREENSHOTS, "console-overview.png"), fullPage: true });
    await admin.screenshot({ path: join(SCREENSHOTS, "console-list.png") });
    expect(shop().complaints).toEqual([]);
  });

  test("the focus does not go to another session where its own is gone", async () => {
    await shop().store.create(sessionRecord({ owner: "carol" }));
    const admin = await signedIn("admin", `${CONSOLE}/list`);
    await row(admin, "carol").getByRole("link", { name: /^End/ }).focus();
    await shop().sessions.killSessionByUser("carol");
    await eventually(async () => (await row(admin, "carol").count()) === 0);
    expect(await admin.evaluate(() => document.activeElement.nodeName)).toBe("MAIN");
  });

  test("a hidden page asks nothing, and is up to date as soon as it is seen", async () => {
    const admin = await signedIn("admin", `${CONSOLE}/list`);
    let asked = 0;
    admin.on("request", () => (asked += 1));
    const turn = (isHidden: boolean) =>
      admin.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(
          new (globalThis as unknown as { Event: new (name: string) => unknown }).Event("visibilitychange"),
        );
      }, isHidden);
    expect(await admin.locator("main").getAttribute("data-live")).toBe(String(UPDATE_MS.here));
    await turn(true);
    // What the page asked before it was hidden has been counted once this is answered.
    await admin.evaluate(async () => (await fetch("/sign-in")).status);
    const before = asked;
    await admin.waitForTimeout(4 * UPDATE_MS.here);
    expect(asked).toBe(before);
    await shop().store.create(sessionRecord({ owner: "carol" }));
    await turn(false);
    await row(admin, "carol").waitFor({ timeout: 3_000 });
  });

  test("a sign-out shows, and ends the asking", async () => {
    const admin = await signedIn("admin", `${CONSOLE}/list`);
    await shop().sessions.killSessionByUser("admin");
    await admin.getByRole("alert").waitFor();
    await admin.screenshot({ path: join(SCREENSHOTS, "console-signed-out.png") });
    expect(await admin.getByRole("alert").innerText()).toContain("you are signed out");
    let asked = 0;
    admin.on("request", () => (asked += 1));
    // A page that is slow to load asks less often.
    await admin.waitForTimeout(6_000);
    expect(asked).toBe(0);
    await admin.getByRole("link", { name: "Load it again" }).click();
    await admin.waitForURL(/\/sign-in/);
  });

  test("an error shows, and goes when the server is back", async () => {
    const admin = await signedIn("admin", CONSOLE);
    await admin.route("**/*", (route) => route.abort());
    await admin.getByRole("alert").getByText("can’t be reached").waitFor();
    await admin.unroute("**/*");
    await admin.route("**/*", (route) => route.fulfill({ status: 503, body: "no" }));
    await admin.getByRole("alert").getByText("can’t update this page").waitFor();
    await admin.unroute("**/*");
    await eventually(async () => (await admin.getByRole("alert").count()) === 0);
  });

  test("the detail page lists the open pages; their paths and titles are text, and cut", async () => {
    const now = Date.now();
    const record = sessionRecord({
      owner: "carol",
      pages: {
        "0123456789abcdef": { path: `/${"x".repeat(300)}`, title: SCRIPT, openedAt: now - 60_000, seenAt: now },
        fedcba9876543210: { path: "/gone", title: "Gone", openedAt: 0, seenAt: now - 90_000 },
        [`${MESSAGE_PREFIX}1`]: { path: "event", title: '"a message"', openedAt: now, seenAt: now },
      },
    });
    await shop().store.create(record);
    const admin = await signedIn("admin", `${CONSOLE}/session/${record.id}`);
    const table = admin.getByRole("table", { name: "Pages that are open now" });
    expect(await table.getByRole("row").count()).toBe(2);
    const text = await table.innerText();
    expect(text).toContain(SCRIPT);
    expect(text).toContain(`/${"x".repeat(99)}…`);
    expect(text).toContain("1 minute ago");
    expect(await admin.title()).toBe("Session of carol · Tea House sessions");
    await admin.screenshot({ path: join(SCREENSHOTS, "console-detail.png"), fullPage: true });
    for (const width of [390, 820, 1280]) {
      await admin.setViewportSize({ width, height: 800 });
      expect(await admin.locator("html").evaluate((html) => html.scrollWidth)).toBe(width);
    }
    expect(shop().complaints).toEqual([]);
  });
});
