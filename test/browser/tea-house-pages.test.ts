import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { eventually } from "../support/eventually";
import { browsedTeaHouse, signIn } from "./browsed-tea-house";

// A test walks through many pages. The browser reports a step that hangs, after half a minute.
jest.setTimeout(120_000);

const SCREENSHOTS = resolve(__dirname, "../../.screenshots");
const MESSAGE = "We close the shop for an hour.\nPlease sign in again at <four>.";

describe("the pages of the Tea House in a browser", () => {
  const shop = browsedTeaHouse();
  beforeAll(async () => mkdir(SCREENSHOTS, { recursive: true }));

  /** Alice, with a cart, on two pages that are counted. */
  async function aliceOnTwoPages(options: BrowserContextOptions = {}): Promise<[Page, Page]> {
    const cart = await shop().signedIn("alice", options);
    await cart.locator('form[action="/cart/matcha/add"] button').click();
    await cart.goto("/cart");
    const devices = await shop().another(cart.context(), "/devices");
    await eventually(async () => (await openPagesOf("alice")) === 2);
    await eventually(() => shop().sessions.pages.streams === 1);
    return [cart, devices];
  }

  async function openPagesOf(username: string): Promise<number> {
    const infos = await shop().sessions.getSessionInfo({ username });
    return infos.reduce((sum, { activePages }) => sum + activePages, 0);
  }

  async function endWith(message: string): Promise<void> {
    const admin = await shop().signedIn("admin");
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
      expect(shop().complaints).toEqual([]);
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
    await eventually(() => shop().sessions.pages.streams === 1);
    await cart.goto("/sign-in");
    await signIn(cart, "alice");
    await devices.getByText("You signed in in another tab or window.").waitFor();
    await devices.keyboard.press("Escape");
    await devices.waitForURL(/\/devices/);
  });

  test("the notice fits the shop, in light and dark, on a desk and on a phone", async () => {
    const [cart] = await aliceOnTwoPages();
    await endWith(`${MESSAGE}\n${"a-word-without-any-end".repeat(10)}`);
    const notice = cart.getByRole("alertdialog");
    await notice.waitFor();
    for (const [colorScheme, background] of [
      ["light", "rgb(255, 253, 248)"],
      ["dark", "rgb(38, 29, 22)"],
    ] as const) {
      await cart.emulateMedia({ colorScheme });
      expect(await notice.evaluate((element) => getComputedStyle(element).backgroundColor)).toBe(background);
      for (const width of [1280, 390]) {
        await cart.setViewportSize({ width, height: 800 });
        await cart.screenshot({ path: join(SCREENSHOTS, `notice-${colorScheme}-${width}.png`) });
        const box = await notice.boundingBox();
        expect(box!.x).toBeGreaterThanOrEqual(0);
        expect(box!.x + box!.width).toBeLessThanOrEqual(width);
      }
    }
  });

  test("an admin's page fits any screen", async () => {
    for (const [colorScheme, width] of [
      ["light", 1280],
      ["dark", 390],
    ] as const) {
      const admin = await shop().signedIn("admin", { colorScheme, viewport: { width, height: 800 } });
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
