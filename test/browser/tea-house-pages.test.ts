import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { openTeaHouse, PASSWORD } from "../example-app/open-tea-house";
import type { TeaHouse } from "../example-app/open-tea-house";
import { launchBrowser } from "../support/browser";
import { eventually } from "../support/eventually";

// A test walks through many pages. The browser reports a step that hangs, after half a minute.
jest.setTimeout(120_000);

const SCREENSHOTS = resolve(__dirname, "../../.screenshots");
const MESSAGE = "We close the shop for an hour.\nPlease sign in again at <four>.";

describe("the pages of the Tea House in a browser", () => {
  let browser: Browser;
  let house: TeaHouse;
  let server: Server;
  let contexts: BrowserContext[];
  /** The complaints of pages: errors of their script, and what their Content-Security-Policy forbids. */
  let complaints: string[];

  beforeAll(async () => {
    await mkdir(SCREENSHOTS, { recursive: true });
    browser = await launchBrowser();
  }, 120_000);
  afterAll(async () => browser.close());

  beforeEach(async () => {
    [contexts, complaints] = [[], []];
    house = await openTeaHouse();
    server = createServer(house.app).listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(async () => {
    for (const context of contexts) await context.close();
    server.closeAllConnections();
    await once(server.close(), "close");
    await house.sessions.close();
  });

  /** A visitor with cookies of their own, signed in. */
  async function signedIn(username: string, options: BrowserContextOptions = {}): Promise<Page> {
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const context = await browser.newContext({ baseURL, locale: "en-GB", ...options });
    contexts.push(context);
    const page = await another(context, "/sign-in");
    await fillSignIn(page, username);
    return page;
  }

  async function another(context: BrowserContext, path: string): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(path);
    return page;
  }

  /** Alice, with a cart, on two pages that are counted. */
  async function aliceOnTwoPages(options: BrowserContextOptions = {}): Promise<[Page, Page]> {
    const cart = await signedIn("alice", options);
    await cart.locator('form[action="/cart/matcha/add"] button').click();
    await cart.goto("/cart");
    const devices = await another(cart.context(), "/devices");
    await eventually(async () => (await openPagesOf("alice")) === 2);
    await eventually(() => house.sessions.pages.streams === 1);
    return [cart, devices];
  }

  async function openPagesOf(username: string): Promise<number> {
    const infos = await house.sessions.getSessionInfo({ username });
    return infos.reduce((sum, { activePages }) => sum + activePages, 0);
  }

  async function endWith(message: string): Promise<void> {
    const admin = await signedIn("admin");
    await admin.getByRole("link", { name: "Admin" }).click();
    await admin.getByRole("textbox", { name: "Message to the user" }).fill(message);
    await admin.getByRole("button", { name: "End all sessions of Alice" }).click();
    expect(await admin.getByRole("status").innerText()).toBe("Sessions of Alice that were ended: 1.");
  }

  test.each([
    ["en-GB", "Your session has ended", "Load the page again", "You were signed out from elsewhere."],
    ["de-DE", "Deine Sitzung ist beendet", "Seite neu laden", "Du wurdest von woanders abgemeldet."],
    ["ja-JP", "セッションが終了しました", "ページを再読み込み", "別の場所からログアウトされました。"],
  ])(
    "alice, on her cart and on another tab, reads the admin's message at once, in her language: %s",
    async (locale, title, button, reason) => {
      const [cart, devices] = await aliceOnTwoPages({ locale });
      await endWith(MESSAGE);
      for (const tab of [cart, devices]) {
        const notice = tab.getByRole("alertdialog", { name: title });
        await notice.waitFor();
        expect(await notice.innerText()).toContain(MESSAGE);
      }
      await cart.screenshot({ path: join(SCREENSHOTS, `notice-${locale}.png`) });

      // A guest may look at a cart; the devices are the user's.
      await cart.getByRole("button", { name: button }).click();
      await cart.waitForLoadState();
      await cart.getByText(reason).waitFor();
      expect(new URL(cart.url()).pathname).toBe("/cart");
      expect(await cart.getByTestId("cart-count").innerText()).toBe("0");
      await devices.getByRole("button", { name: button }).click();
      await devices.waitForURL(/\/sign-in\?next=%2Fdevices/);
      expect(await devices.getByRole("status").innerText()).toContain(reason);
      expect(await devices.getByRole("status").locator("q").textContent()).toBe(MESSAGE);
      expect(complaints).toEqual([]);
    },
  );

  test("the notice has the focus and keeps it, and Escape acknowledges it", async () => {
    const [cart] = await aliceOnTwoPages();
    await endWith("");
    const notice = cart.getByRole("alertdialog", { name: "Your session has ended" });
    await notice.waitFor();
    expect(await notice.innerText()).toContain("You were signed out from elsewhere.");
    const button = notice.getByRole("button", { name: "Load the page again" });
    expect(await button.evaluate((element) => element.matches(":focus"))).toBe(true);
    for (const key of ["Tab", "Tab", "Shift+Tab", "Tab"]) {
      await cart.keyboard.press(key);
      expect(await cart.locator("body :focus:not(.coatcheck-notice *)").count()).toBe(0);
    }
    await Promise.all([cart.waitForEvent("load"), cart.keyboard.press("Escape")]);
    expect(await notice.count()).toBe(0);
    expect(await cart.getByRole("link", { name: "Sign in" }).count()).toBe(1);
  });

  test("a sign-out in one tab is told to the other, and a sign-in too", async () => {
    const [cart, devices] = await aliceOnTwoPages();
    await cart.getByRole("button", { name: "Sign out", exact: true }).click();
    await devices.getByText("You signed out in another tab or window.").waitFor();
    await cart.getByText("You are signed out. See you soon.").waitFor();
    expect(await cart.getByRole("alertdialog").count()).toBe(0);

    await devices.keyboard.press("Escape");
    await devices.waitForURL(/\/sign-in/);
    await devices.waitForLoadState();
    await eventually(() => house.sessions.pages.streams === 1);
    await cart.goto("/sign-in");
    await fillSignIn(cart, "alice");
    await devices.getByText("You signed in in another tab or window.").waitFor();
    await devices.keyboard.press("Escape");
    await devices.waitForURL(/\/devices/);
  });

  test.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 390],
    ["dark", 390],
  ] as const)("the notice fits the shop: %s, %d px", async (colorScheme, width) => {
    const [cart] = await aliceOnTwoPages({ colorScheme, viewport: { width, height: 800 } });
    await endWith(`${MESSAGE}\n${"a-word-without-any-end".repeat(10)}`);
    const notice = cart.getByRole("alertdialog");
    await notice.waitFor();
    await cart.screenshot({ path: join(SCREENSHOTS, `notice-${colorScheme}-${width}.png`) });
    const box = await notice.boundingBox();
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(width);
    const scheme = { light: "rgb(255, 253, 248)", dark: "rgb(38, 29, 22)" }[colorScheme];
    expect(await notice.evaluate((element) => getComputedStyle(element).backgroundColor)).toBe(scheme);
  });

  test("an admin's page fits any screen", async () => {
    for (const [colorScheme, width] of [
      ["light", 1280],
      ["dark", 390],
    ] as const) {
      const admin = await signedIn("admin", { colorScheme, viewport: { width, height: 800 } });
      await admin.goto("/admin");
      await admin.screenshot({ path: join(SCREENSHOTS, `admin-${colorScheme}-${width}.png`), fullPage: true });
      await admin.getByRole("button", { name: "Sign out", exact: true }).click();
      await admin.goto("/sign-in");
      await admin.screenshot({ path: join(SCREENSHOTS, `sign-in-${colorScheme}-${width}.png`) });
      expect(await admin.locator("html").evaluate((html) => html.scrollWidth)).toBe(width);
    }
  });
});

/** The browser's own: `evaluate` runs functions there. */
declare function getComputedStyle(element: unknown): Record<string, string>;

async function fillSignIn(page: Page, username: string): Promise<void> {
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(PASSWORD);
  await Promise.all([page.waitForURL((url) => url.pathname !== "/sign-in"), page.keyboard.press("Enter")]);
}
