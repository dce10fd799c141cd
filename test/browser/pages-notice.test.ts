import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import type { SessionPagesOptions } from "../../lib/pages/pages-options";
import { MemoryStore } from "../../lib/stores/memory-store";
import { launchBrowser } from "../support/browser";
import { eventually } from "../support/eventually";
import { startPagesApp } from "../support/pages-app";
import type { PagesApp } from "../support/pages-app";

jest.setTimeout(120_000);

/** What docs/pages.md says that an app can do with its pages. */
describe("pages and the app that they belong to", () => {
  let browser: Browser;
  let app: PagesApp;
  let contexts: BrowserContext[];
  /** How far the clock of the server is ahead, in milliseconds. */
  let ahead: number;

  beforeAll(async () => (browser = await launchBrowser()), 120_000);
  afterAll(async () => browser.close());
  beforeEach(() => {
    ahead = 0;
    contexts = [];
  });
  afterEach(async () => {
    for (const context of contexts) await context.close();
    await app.close();
  });

  async function start(pages: SessionPagesOptions = {}): Promise<void> {
    const now = () => Date.now() + ahead;
    const store = new MemoryStore({ now });
    app = await startPagesApp(
      { store, now, killCheckInterval: 200, idleTimeout: "10m", touchInterval: "100ms" },
      pages,
    );
  }

  async function signedIn(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: app.url, ...options });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto("/login/alice");
    return page;
  }

  const opened = (count: number) =>
    eventually(async () => (await app.sessions.getSessionInfo({ username: "alice" }))[0]?.activePages === count);
  const notice = (page: Page) => page.getByRole("alertdialog");
  const kill = () => app.sessions.killSessionByUser("alice", { message: "Bye." });
  const styleOf = (page: Page, name: string) =>
    page.evaluate<string>(`getComputedStyle(document.querySelector("dialog")).getPropertyValue("${name}")`);

  test("the notice is in the words that the app gives, in the language of the browser, and counts down in them", async () => {
    await start({
      texts: (about, req) => {
        const isGerman = req.headers["accept-language"]?.startsWith("de") === true;
        if (!isGerman) return { title: "Signed out", text: "Bye", button: "OK" };
        return about.event === "expiring"
          ? { title: "Noch da?", text: `Abmeldung in ${about.seconds} Sekunden.`, button: "Angemeldet bleiben" }
          : { title: "Abgemeldet", text: about.message ?? "Sitzung beendet.", button: "Neu laden" };
      },
    });
    const page = await signedIn({ locale: "de-DE" });
    await opened(1);
    await eventually(() => app.sessions.pages.streams === 1);
    ahead = 9.5 * 60_000;
    await notice(page).waitFor();
    expect(await notice(page).getAttribute("aria-label")).toBe("Noch da?");
    expect(await notice(page).getByRole("button").innerText()).toBe("Angemeldet bleiben");
    const seconds = async () => Number(/in (\d+) Sekunden/.exec(await notice(page).innerText())?.[1]);
    const first = await seconds();
    await eventually(async () => (await seconds()) <= first - 2);
    await kill();
    await notice(page).getByText("Bye.").waitFor();
    expect(await notice(page).getByRole("heading").innerText()).toBe("Abgemeldet");
    expect(await notice(page).count()).toBe(1);
  });

  test("the notice has the app's colours, or the system's, light and dark, under a policy that allows no style of its own", async () => {
    await start();
    const page = await signedIn({ colorScheme: "dark" });
    await opened(1);
    await kill();
    await notice(page).waitFor();
    const dark = await styleOf(page, "background-color");
    await page.emulateMedia({ colorScheme: "light" });
    expect(await styleOf(page, "background-color")).toBe("rgb(255, 255, 255)");
    expect(dark).not.toBe("rgb(255, 255, 255)");
    const names = ["background", "text", "border"];
    await page.evaluate(
      `for (const name of ${JSON.stringify(names)}) document.documentElement.style.setProperty("--coatcheck-" + name, "rgb(1, 2, 3)")`,
    );
    for (const name of ["background-color", "color", "border-top-color"]) {
      expect(await styleOf(page, name)).toBe("rgb(1, 2, 3)");
    }
  });

  test("the notice keeps the keyboard's focus", async () => {
    await start();
    const page = await signedIn();
    await opened(1);
    await kill();
    await notice(page).waitFor();
    expect(await page.evaluate('document.activeElement.closest("dialog") !== null')).toBe(true);
    for (let n = 0; n < 4; n += 1) {
      await page.keyboard.press("Tab");
      const isOutside =
        '["A", "INPUT"].includes(document.activeElement.tagName) || document.activeElement.textContent === "Sign out"';
      expect(await page.evaluate(isOutside)).toBe(false);
    }
  });

  test("a page knows its id, and may stay without being asked", async () => {
    await start();
    const page = await signedIn();
    await opened(1);
    const [info] = await app.sessions.getSessionInfo({ username: "alice" });
    expect(info!.pageIds).toEqual([await page.evaluate("coatcheck.pageId")]);
    for (let minutes = 8; minutes <= 24; minutes += 8) {
      ahead = minutes * 60_000;
      await page.evaluate("coatcheck.stay()");
    }
    await page.goto("/");
    expect(await page.title()).toBe("alice at /");
  });

  test("an app may ask by itself whether its user is still there", async () => {
    await start();
    const page = await signedIn();
    await opened(1);
    await page.evaluate(`document.addEventListener("coatcheck:expiring", (event) => {
      event.preventDefault();
      document.title = "expiring " + event.detail.seconds;
    })`);
    await eventually(() => app.sessions.pages.streams === 1);
    ahead = 9.5 * 60_000;
    await eventually(async () => /^expiring [23]\d$/.test(await page.title()));
    expect(await notice(page).count()).toBe(0);
  });

  test("a session that is used elsewhere takes its question back by itself", async () => {
    await start();
    const page = await signedIn();
    await opened(1);
    await eventually(() => app.sessions.pages.streams === 1);
    ahead = 9.5 * 60_000;
    await notice(page).waitFor();
    const other = await page.context().newPage();
    await other.goto("/other");
    await eventually(async () => (await notice(page).count()) === 0);
    expect(await page.title()).toBe("alice at /");
  });

  test("without Web Locks, as on plain HTTP, each tab keeps a stream of its own, and is told", async () => {
    await start();
    const page = await signedIn();
    await page.context().addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })");
    await page.goto("/first");
    const second = await page.context().newPage();
    await second.goto("/second");
    await opened(2);
    await eventually(() => app.sessions.pages.streams === 2);
    await kill();
    for (const tab of [page, second]) await notice(tab).getByText("Bye.").waitFor();
  });

  test("without scripts a page is not counted, and its user is signed out all the same", async () => {
    await start();
    const page = await signedIn({ javaScriptEnabled: false });
    expect((await app.sessions.getSessionInfo({ username: "alice" }))[0]).toMatchObject({
      activePages: 0,
      pageIds: [],
    });
    await kill();
    await page.goto("/");
    expect(await page.title()).toBe("__guest__ at /");
  });
});
