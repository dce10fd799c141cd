import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { openTeaHouse } from "../example-app/open-tea-house";
import { closedGate } from "../support/gate";
import { browsedTeaHouse, signIn as fillIn } from "./browsed-tea-house";

// A test walks through many pages. The browser reports a step that hangs, after half a minute.
jest.setTimeout(120_000);

describe("Tea House in a browser", () => {
  /** Stops the work on statements after their third step, until it is opened. */
  let work: ReturnType<typeof closedGate>;
  const shop = browsedTeaHouse(async () => {
    work = closedGate();
    let steps = 0;
    return openTeaHouse(undefined, async () => (steps++ < 3 ? undefined : work.pass()));
  });
  /** A visitor in the shop. Scripts are off: the shop must not need any. */
  const visitor = async () => shop().visitor("/", { javaScriptEnabled: false });

  test("P2: alice signs in, her cart comes along, the admin ends her sessions, and her next click leads to the sign-in page, without a cart", async () => {
    const alice = await visitor();
    await alice.getByRole("button", { name: "Add Matcha Uji no Kaze to cart" }).click();
    await signIn(alice, "alice");
    expect(await cartCount(alice)).toBe("1");

    const admin = await visitor();
    await signIn(admin, "admin");
    await admin.getByRole("link", { name: "Admin" }).click();
    await admin.getByRole("button", { name: "End all sessions of Alice" }).click();
    expect(await admin.getByRole("status").innerText()).toBe("Sessions of Alice that were ended: 1.");

    await alice.getByRole("link", { name: "Devices" }).click();
    expect(new URL(alice.url()).pathname).toBe("/sign-in");
    expect(await alice.getByRole("status").innerText()).toBe("You were signed out from elsewhere.");
    expect(await cartCount(alice)).toBe("0");

    await alice.goBack();
    await alice.reload();
    expect(await cartCount(alice)).toBe("0");
    expect(await alice.getByRole("link", { name: "Sign in" }).count()).toBe(1);
  });

  test("P6: the cookie is out of reach for scripts and other sites, and ends with the browser unless the visitor asked to be remembered", async () => {
    const alice = await visitor();
    expect(await alice.context().cookies()).toEqual([]);

    await signIn(alice, "alice");
    const [cookie] = await alice.context().cookies();
    expect(cookie).toMatchObject({ name: "sid", path: "/", httpOnly: true, sameSite: "Lax", expires: -1 });

    const bob = await visitor();
    await signIn(bob, "bob", { remember: true });
    const [remembered] = await bob.context().cookies();
    const days = (remembered!.expires - Date.now() / 1000) / 86_400;
    expect(Math.round(days)).toBe(30);
  });

  test("from the shelf to the order, in a language that stays", async () => {
    const visitorPage = await visitor();
    await visitorPage.getByRole("button", { name: "Deutsch" }).click();
    await visitorPage.getByRole("link", { name: "Keemun Mao Feng" }).click();
    await visitorPage.getByRole("button", { name: "In den Warenkorb" }).click();
    await visitorPage.getByRole("link", { name: "Warenkorb" }).click();
    await visitorPage.getByRole("spinbutton", { name: "Menge von Keemun Mao Feng" }).fill("3");
    await visitorPage.getByRole("button", { name: "Ändern" }).click();
    await visitorPage.getByRole("link", { name: "Zur Kasse" }).click();

    await fillIn(visitorPage, "bob");
    await visitorPage.getByRole("button", { name: "Bestellen" }).click();
    expect(await visitorPage.getByRole("heading", { level: 1 }).innerText()).toBe("Danke, Bob!");
    expect(await visitorPage.locator(".receipt").innerText()).toMatch(/3 × Keemun Mao Feng\s+42,60\s€/);
    expect(await cartCount(visitorPage)).toBe("0");

    await visitorPage.getByRole("button", { name: "Abmelden" }).click();
    expect(await visitorPage.getByRole("status").innerText()).toBe("Du bist abgemeldet. Bis bald.");
  });

  test("a form on another site can't act for a visitor who is signed in", async () => {
    const alice = await visitor();
    await signIn(alice, "alice");
    const { port } = shop();
    // "localhost" is another site than "127.0.0.1".
    const attacker = createServer((_req, res) => {
      const action = `http://127.0.0.1:${port}/sign-out`;
      res
        .setHeader("Content-Type", "text/html")
        .end(`<form method="post" action="${action}"><button>Win</button></form>`);
    }).listen(0, "127.0.0.1");
    await once(attacker, "listening");

    try {
      await alice.goto(`http://localhost:${(attacker.address() as AddressInfo).port}/`);
      await alice.getByRole("button", { name: "Win" }).click();
      expect(await alice.getByRole("heading", { level: 1 }).innerText()).toBe("That came from elsewhere");
      await alice.goto("/devices");
      expect(new URL(alice.url()).pathname).toBe("/devices");
    } finally {
      attacker.closeAllConnections();
      await once(attacker.close(), "close");
    }
  });

  test("a tab from before the sign-in is out of date, says so, and works once it is opened again", async () => {
    const tab = await visitor();
    await tab.getByRole("button", { name: "Add Matcha Uji no Kaze to cart" }).click();
    await tab.getByRole("link", { name: "Cart" }).click();
    const other = await tab.context().newPage();
    await other.goto("/");
    await signIn(other, "alice");

    await tab.getByRole("spinbutton").fill("3");
    await tab.getByRole("button", { name: "Update" }).click();
    expect(await tab.getByRole("heading", { level: 1 }).innerText()).toBe("That page was out of date");
    await tab.getByRole("link", { name: "Open it again" }).click();
    expect([new URL(tab.url()).pathname, await cartCount(tab)]).toEqual(["/cart", "1"]);
    await tab.getByRole("spinbutton").fill("3");
    await tab.getByRole("button", { name: "Update" }).click();
    expect(await cartCount(tab)).toBe("3");
  });

  test("Back shows the previous page, and its forms still work", async () => {
    const stranger = await visitor();
    await addToCart(stranger, "Matcha Uji no Kaze", "1");
    await stranger.goBack();
    await addToCart(stranger, "Keemun Mao Feng", "2");
    await stranger.goBack();
    await stranger.reload();
    expect(await cartCount(stranger)).toBe("2");

    await signIn(stranger, "bob");
    await addToCart(stranger, "Matcha Uji no Kaze", "3");
    await stranger.goBack();
    await addToCart(stranger, "Matcha Uji no Kaze", "4");
  });

  test("a monthly statement is made while its user waits or goes on shopping: the page reloads by itself", async () => {
    const alice = await visitor();
    await alice.getByRole("button", { name: "Add Matcha Uji no Kaze to cart" }).click();
    await signIn(alice, "alice");
    await alice.goto("/checkout");
    await alice.getByRole("button", { name: "Place order" }).click();
    await alice.getByRole("link", { name: "Statement" }).click();
    await alice.getByRole("button", { name: "Make the statement" }).click();
    await alice.locator('progress[value="30"]').waitFor();
    expect(await alice.getByRole("status").innerText()).toMatch(/^30 %/);

    await alice.getByRole("link", { name: "Teas" }).click();
    await alice.getByRole("button", { name: "Add Keemun Mao Feng to cart" }).click();
    expect(await cartCount(alice)).toBe("1");
    await alice.getByRole("link", { name: "Statement" }).click();
    expect(await alice.getByRole("progressbar").getAttribute("value")).toBe("30");

    work.open();
    await alice.getByRole("button", { name: "Make it again" }).waitFor();
    expect(await alice.locator(".receipt li").count()).toBe(1);
    expect(await alice.locator(".total").innerText()).toMatch(/€30\.40/);
  });

  test("a statement that an admin stops says so, and can be made again", async () => {
    const [alice, admin] = [await visitor(), await visitor()];
    await signIn(alice, "alice");
    await signIn(admin, "admin");
    await alice.getByRole("link", { name: "Statement" }).click();
    await alice.getByRole("button", { name: "Make the statement" }).click();
    await alice.locator('progress[value="30"]').waitFor();
    await admin.getByRole("link", { name: "Admin" }).click();
    await admin.getByRole("button", { name: "End all sessions of Alice" }).click();

    // Her page reloads by itself, and finds her signed out.
    await alice.waitForURL(/\/sign-in/);
    await fillIn(alice, "alice");
    work.open();
    await alice.getByText("was stopped before it was done").waitFor();
    await alice.getByRole("button", { name: "Make the statement" }).click();
    await alice.getByRole("button", { name: "Make it again" }).waitFor();
  });

  test("no page is wider than a screen of 1280 or 390 px, in any language", async () => {
    const admin = await visitor();
    await admin.getByRole("button", { name: "Add Sencha Asamushi to cart" }).click();
    await signIn(admin, "admin");
    const paths = ["/", "/teas/darjeeling", "/cart", "/checkout", "/statement", "/devices", "/admin", "/nowhere"];
    for (const language of ["en", "de", "ja"]) {
      await admin.goto("/");
      await admin.locator(`button[value="${language}"]`).click();
      for (const path of paths) {
        await admin.goto(path);
        for (const width of [1280, 390]) {
          await admin.setViewportSize({ width, height: 800 });
          const right = await admin.locator("html").evaluate((html) => html.scrollWidth);
          expect([language, path, right]).toEqual([language, path, width]);
          const count = await admin.getByTestId("cart-count").boundingBox();
          expect([language, path, count!.x + count!.width <= width]).toEqual([language, path, true]);
        }
      }
    }
  });
});

/** Goes from any page to the sign-in page, and signs in. */
async function signIn(page: Page, username: string, options?: { remember: boolean }): Promise<void> {
  await page.getByRole("link", { name: "Sign in" }).click();
  await fillIn(page, username, options);
}

/** Adds a tea, and waits for the page that shows the new number. */
async function addToCart(page: Page, tea: string, count: string): Promise<void> {
  await page.getByRole("button", { name: `Add ${tea} to cart` }).click();
  await page.getByTestId("cart-count").filter({ hasText: count }).waitFor();
  await page.waitForLoadState();
}

async function cartCount(page: Page): Promise<string> {
  return page.getByTestId("cart-count").innerText();
}
