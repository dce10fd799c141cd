import type { BrowserContextOptions, Page } from "playwright-core";
import { sessionRecord } from "../support/session-records";
import { browsedTeaHouse, signIn } from "./browsed-tea-house";

// A test walks through many pages. The browser reports a step that hangs, after half a minute.
jest.setTimeout(120_000);

/** The browser's own: `evaluate` runs functions there. */
declare function getComputedStyle(element: unknown, part?: string): Record<string, string>;

const CONSOLE = "/admin/sessions";
const SCRIPT = "<script>document.title='taken over'</script>";
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 800 };

describe("the console in a browser", () => {
  const shop = browsedTeaHouse();
  const signedIn = async (username: string, options: BrowserContextOptions = {}) =>
    shop().signedIn(username, { viewport: WIDE, ...options });

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

      await admin.getByRole("searchbox", { name: "Find a user, an id or an address" }).fill("alice");
      await admin.getByRole("button", { name: "Search" }).click();
      expect(await admin.getByRole("status").innerText()).toBe("2 sessions");
      await admin.getByRole("link", { name: "Details (session of alice)" }).first().click();
      expect(await heading(admin)).toBe("Session of alice");
      await admin.getByRole("link", { name: "End this session…" }).click();
      expect(await heading(admin)).toBe("End this session?");
      await admin.getByRole("button", { name: "End the session" }).click();
      expect(await admin.getByRole("status").innerText()).toContain("1 session ended.");
      expect(await heading(admin)).toBe("Session of alice");
      expect(await signedInPages(phone, laptop, bob)).toBe(2);

      await admin.getByRole("link", { name: "List", exact: true }).click();
      await admin.getByRole("link", { name: "alice", exact: true }).click();
      expect(await heading(admin)).toBe("alice");
      await admin.getByRole("link", { name: "End all sessions of alice…" }).click();
      await admin
        .getByRole("textbox", { name: "Message to the user" })
        .fill("We moved house: please <b>sign in</b> again.");
      await admin.getByRole("button", { name: "End all of these sessions" }).click();
      expect(await admin.getByRole("status").first().innerText()).toContain("1 session ended.");
      expect(new URL(admin.url()).pathname).toBe(`${CONSOLE}/user`);

      const last = new URL(phone.url()).pathname === "/sign-in" ? laptop : phone;
      await last.goto("/devices");
      expect(await last.getByRole("status").innerText()).toContain("We moved house: please <b>sign in</b> again.");
      expect(await signedInPages(phone, laptop, bob)).toBe(1);
      expect(shop().complaints).toEqual([]);
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

  test("a form works only once: sent again, it ends nothing more", async () => {
    const admin = await signedIn("admin");
    await signedIn("bob");
    await admin.goto(`${CONSOLE}/end/user?user=bob`);
    const action = admin.url();
    const names = ["consoleKey", "securityKey"] as const;
    const form: Record<string, string> = {};
    for (const name of names) form[name] = await admin.locator(`main input[name=${name}]`).inputValue();
    await admin.getByRole("button", { name: "End all of these sessions" }).click();
    await admin.getByRole("status").getByText("1 session ended.").waitFor();
    await signedIn("bob");
    const again = await admin.request.post(action, { form });
    expect([again.status(), await again.text()]).toEqual([
      403,
      expect.stringContaining("This form can’t be used again"),
    ]);
    expect(await shop().sessions.getSessionInfo({ username: "bob" })).toHaveLength(1);
  });

  test("works by keyboard alone, with the focus visible", async () => {
    const alice = await signedIn("alice");
    const admin = await signedIn("admin");
    await admin.goto(CONSOLE);
    await admin.keyboard.press("Tab");
    expect(await focused(admin)).toEqual({ name: "Skip to content", isVisible: true });

    await tabTo(admin, "Find a user, an id or an address");
    await admin.keyboard.type("alice");
    await admin.keyboard.press("Enter");
    await admin.waitForURL(/q=alice/);
    await tabTo(admin, "Details (session of alice)");
    await admin.keyboard.press("Enter");
    await admin.waitForURL(/\/session\//);
    await tabTo(admin, "End this session…");
    await admin.keyboard.press("Enter");
    await admin.waitForURL(/\/end\/session\//);
    await tabTo(admin, "Message to the user");
    await admin.keyboard.type("Hello!");
    await tabTo(admin, "End the session");
    await admin.keyboard.press("Enter");
    await admin.getByRole("status").getByText("1 session ended.").waitFor();
    await alice.goto("/devices");
    expect(new URL(alice.url()).pathname).toBe("/sign-in");
  });

  test("a filter chosen by pointer is applied at once; names that look like scripts stay text", async () => {
    await shop().store.create(sessionRecord({ owner: SCRIPT, userAgent: SCRIPT }));
    const admin = await signedIn("admin");
    await admin.goto(`${CONSOLE}/list`);
    await admin.getByLabel("Who").dispatchEvent("pointerdown");
    await admin.getByLabel("Who").selectOption("Guests");
    await admin.waitForURL(/who=guests/);
    expect(await admin.getByRole("main").innerText()).not.toContain("admin");

    await admin.goto(`${CONSOLE}/list`);
    await admin
      .getByRole("row")
      .filter({ hasText: SCRIPT })
      .getByRole("link", { name: /^Details/ })
      .click();
    expect(await heading(admin)).toBe(`Session of ${SCRIPT}`);
    expect(await admin.title()).toBe(`Session of ${SCRIPT} · Tea House sessions`);
    expect(shop().complaints).toEqual([]);
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
    await shop().store.create(record);
    const admin = await signedIn("admin", { viewport });
    const user = new URLSearchParams({ user: long }).toString();
    for (const path of ["/", "/list", `/user?${user}`, `/session/${record.id}`, `/end/user?${user}`, "/none"]) {
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
      .nth(1)
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
      name: (element.getAttribute("aria-label") ?? label ?? element.textContent)
        .replace("(optional)", "")
        .replace(/\s+/g, " ")
        .trim(),
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
