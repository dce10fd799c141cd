import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { openTeaHouse, PASSWORD } from "../example-app/open-tea-house";
import type { TeaHouse } from "../example-app/open-tea-house";
import { launchBrowser } from "../support/browser";
import { sessionRecord } from "../support/session-records";

// A test walks through many pages. The browser reports a step that hangs, after half a minute.
jest.setTimeout(120_000);

/** The browser's own: `evaluate` runs functions there. */
declare function getComputedStyle(element: unknown, part?: string): Record<string, string>;

const CONSOLE = "/admin/sessions";
const SCRIPT = "<script>document.title='taken over'</script>";
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 800 };

describe("the console in a browser", () => {
  let browser: Browser;
  let house: TeaHouse;
  let server: Server;
  let contexts: BrowserContext[];
  /** The complaints of pages: errors of their script, and what their Content-Security-Policy forbids. */
  let complaints: string[];

  beforeAll(async () => (browser = await launchBrowser()), 60_000);
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

  async function visitor(options: BrowserContextOptions = {}): Promise<Page> {
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const context = await browser.newContext({ baseURL, locale: "en-GB", viewport: WIDE, ...options });
    contexts.push(context);
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => complaints.push(message.text()));
    return page;
  }

  async function signedIn(username: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await visitor(options);
    await page.goto("/sign-in");
    await signIn(page, username);
    return page;
  }

  test.each([
    ["with its script", true],
    ["without script", false],
  ])(
    "search, open, end one session, end a user's with a message, which the user reads at the sign-in: %s",
    async (_how, javaScriptEnabled) => {
      const [phone, laptop] = [await signedIn("alice"), await signedIn("alice")];
      const bob = await signedIn("bob");
      const admin = await signedIn("admin", { javaScriptEnabled });
      await admin.getByRole("link", { name: "Sessions" }).click();
      expect(await heading(admin)).toBe("Overview");

      await admin.getByRole("searchbox", { name: "User" }).fill("alice");
      await admin.getByRole("button", { name: "Search" }).click();
      expect(await admin.getByRole("status").innerText()).toBe("2 sessions");
      await admin.getByRole("link", { name: "alice", exact: true }).first().click();
      expect(await heading(admin)).toBe("Session of alice");
      await admin.getByRole("link", { name: "End this session…" }).click();
      expect(await heading(admin)).toBe("End this session?");
      await admin.getByRole("button", { name: "End the session" }).click();
      expect(await heading(admin)).toBe("1 session ended");
      expect(await signedInPages(phone, laptop, bob)).toBe(2);

      await admin.getByRole("link", { name: "Go to the list" }).click();
      await admin.getByRole("link", { name: "alice", exact: true }).click();
      await admin.getByRole("link", { name: "End all sessions of alice…" }).click();
      await admin
        .getByRole("textbox", { name: "Message to the user" })
        .fill("We moved house: please <b>sign in</b> again.");
      await admin.getByRole("button", { name: "End all of these sessions" }).click();
      expect(await heading(admin)).toBe("1 session ended");

      const last = new URL(phone.url()).pathname === "/sign-in" ? laptop : phone;
      await last.goto("/devices");
      expect(await last.getByRole("status").innerText()).toContain("We moved house: please <b>sign in</b> again.");
      expect(await signedInPages(phone, laptop, bob)).toBe(1);
      expect(complaints).toEqual([]);
    },
  );

  test("P2: the admin who ends everyone's sessions is told so, and has to sign in again", async () => {
    const [alice, admin] = [await signedIn("alice"), await signedIn("admin")];
    await admin.goto(CONSOLE);
    await admin.getByRole("link", { name: "End everyone’s…" }).click();
    expect(await admin.getByRole("main").innerText()).toContain("Your own session is among them");
    await admin.getByRole("button", { name: "End everyone’s sessions" }).click();
    expect(await heading(admin)).toBe("2 sessions ended");
    await admin.getByRole("link", { name: "Sign in again" }).click();
    expect(new URL(admin.url()).pathname).toBe("/sign-in");
    await alice.goto("/devices");
    expect(new URL(alice.url()).pathname).toBe("/sign-in");
    await signIn(admin, "admin");
    expect(await heading(admin)).toBe("Overview");
  });

  test("a form works only once: sent again after Back, it ends nothing more", async () => {
    const admin = await signedIn("admin");
    await signedIn("bob");
    await admin.goto(`${CONSOLE}/end/user?user=bob`);
    await admin.getByRole("button", { name: "End all of these sessions" }).click();
    expect(await heading(admin)).toBe("1 session ended");
    await signedIn("bob");
    await admin.reload();
    expect(await heading(admin)).toBe("This form can’t be used again");
    expect(await house.sessions.getSessionInfo({ username: "bob" })).toHaveLength(1);
  });

  test("works by keyboard alone, with the focus visible", async () => {
    const alice = await signedIn("alice");
    const admin = await signedIn("admin");
    await admin.goto(CONSOLE);
    await admin.keyboard.press("Tab");
    expect(await focused(admin)).toEqual({ name: "Skip to content", isVisible: true });

    await tabTo(admin, "User");
    await admin.keyboard.type("alice");
    await admin.keyboard.press("Enter");
    await admin.waitForURL(/user=alice/);
    await tabTo(admin, "alice");
    await admin.keyboard.press("Enter");
    await admin.waitForURL(/\/session\//);
    await tabTo(admin, "End this session…");
    await admin.keyboard.press("Enter");
    await admin.waitForURL(/\/end\/session\//);
    await tabTo(admin, "Message to the user");
    await admin.keyboard.type("Hello!");
    await tabTo(admin, "End the session");
    await admin.keyboard.press("Enter");
    await admin.getByRole("heading", { name: "1 session ended" }).waitFor();
    await alice.goto("/devices");
    expect(new URL(alice.url()).pathname).toBe("/sign-in");
  });

  test("a filter chosen by pointer is applied at once; names that look like scripts stay text", async () => {
    await house.store.create(sessionRecord({ owner: SCRIPT, userAgent: SCRIPT }));
    const admin = await signedIn("admin");
    await admin.goto(`${CONSOLE}/list`);
    await admin.getByLabel("Who").dispatchEvent("pointerdown");
    await admin.getByLabel("Who").selectOption("Guests");
    await admin.waitForURL(/who=guests/);
    expect(await admin.getByRole("main").innerText()).not.toContain("admin");

    await admin.goto(`${CONSOLE}/list`);
    await admin.getByRole("link", { name: SCRIPT, exact: true }).click();
    expect(await heading(admin)).toBe(`Session of ${SCRIPT}`);
    expect(await admin.title()).toBe(`Session of ${SCRIPT} · Tea House sessions`);
    expect(complaints).toEqual([]);
  });

  test.each([
    ["a phone", PHONE],
    ["a tablet", { width: 820, height: 1180 }],
    ["a small window", { width: 1100, height: 800 }],
    ["a desk", WIDE],
  ])("no page is wider than the screen of %s, whatever the names are", async (_what, viewport) => {
    const long = "a-name-without-any-end-".repeat(20);
    const record = sessionRecord({
      owner: long,
      userAgent: long,
      project: long.slice(0, 64),
      scope: long.slice(0, 64),
      remoteAddress: "2001:db8::".padEnd(39, "f"),
    });
    await house.store.create(record);
    const admin = await signedIn("admin", { viewport });
    const user = new URLSearchParams({ user: long }).toString();
    for (const path of ["/", "/list", `/list?${user}`, `/session/${record.id}`, `/end/user?${user}`, "/none"]) {
      await admin.goto(CONSOLE + path);
      const right = await admin.locator("html").evaluate((html) => html.scrollWidth);
      expect([path, right]).toEqual([path, viewport.width]);
    }
  });

  test("on a phone each session is a card that names its values, and the table is still one to a screen reader", async () => {
    const admin = await signedIn("admin", { viewport: PHONE });
    await admin.goto(`${CONSOLE}/list`);
    const row = admin.getByRole("table", { name: "Sessions" }).getByRole("row").filter({ hasText: "admin" });
    const label = await row
      .getByRole("cell")
      .first()
      .evaluate((cell) => getComputedStyle(cell, "::before").content);
    expect(label).toBe('"Device"');
    await row.getByRole("link", { name: /^End…/ }).click();
    expect(await heading(admin)).toBe("End this session?");
  });

  async function signedInPages(...pages: Page[]): Promise<number> {
    let count = 0;
    for (const page of pages) {
      await page.goto("/devices");
      if (new URL(page.url()).pathname === "/devices") count += 1;
    }
    return count;
  }
});

async function signIn(page: Page, username: string): Promise<void> {
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(PASSWORD);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
}

async function heading(page: Page): Promise<string> {
  return page.getByRole("heading", { level: 1 }).innerText();
}

/** The name of the focused element, and whether its focus is visible on the screen. */
async function focused(page: Page): Promise<{ name: string; isVisible: boolean }> {
  return page.locator(":focus").evaluate((element) => {
    const label = (element as unknown as { labels?: { textContent: string }[] }).labels?.[0]?.textContent;
    const { left } = element.getBoundingClientRect();
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return {
      name: (element.getAttribute("aria-label") ?? label ?? element.textContent).replace("(optional)", "").trim(),
      isVisible: left >= 0 && outlineStyle === "solid" && parseFloat(outlineWidth!) >= 2,
    };
  });
}

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    expect(at).toMatchObject({ isVisible: true });
    if (at.name === name) return;
  }
  throw new Error(`The focus never came to ${name}.`);
}
