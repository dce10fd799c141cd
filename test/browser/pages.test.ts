import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { SessionOptions } from "../../lib/options/session-options";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { launchBrowser, launchBrowserServer } from "../support/browser";
import { eventually } from "../support/eventually";
import { startPagesApp } from "../support/pages-app";
import type { PagesApp } from "../support/pages-app";

jest.setTimeout(120_000);

describe("pages in a browser", () => {
  let browser: Browser;
  let folder: string;
  let apps: PagesApp[];
  let contexts: BrowserContext[];
  /** How far the clock of the servers is ahead, in milliseconds. */
  let ahead: number;

  beforeAll(async () => (browser = await launchBrowser()), 120_000);
  afterAll(async () => browser.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "coatcheck-pages-"));
    apps = [];
    ahead = 0;
    contexts = [];
  });
  afterEach(async () => {
    for (const context of contexts) await context.close();
    for (const app of apps) await app.close();
    await rm(folder, { recursive: true });
  });

  /** A server of its own on the store that all servers of a test share. */
  async function server(options: SessionOptions = {}): Promise<PagesApp> {
    const now = () => Date.now() + ahead;
    const store = new SqliteStore({ path: folder, now });
    const app = await startPagesApp({ store, now, killCheckInterval: 200, ...options });
    apps.push(app);
    return app;
  }

  async function signedIn(app: PagesApp, user = "alice"): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext({ baseURL: app.url });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(`/login/${user}`);
    return { context, page };
  }

  async function another(context: BrowserContext, path: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(path);
    return page;
  }

  /** Waits until the open pages of each of a user's sessions are so many. */
  const becomes = ({ sessions }: PagesApp, counts: number[], username = "alice") =>
    eventually(async () => {
      const infos = await sessions.getSessionInfo({ username });
      return isDeepStrictEqual(infos.map(({ activePages }) => activePages).sort(), counts);
    });

  const notice = (page: Page) => page.getByRole("alertdialog");

  test("counts the tabs of a browser, and of a second one, and forgets those that are closed", async () => {
    const app = await server();
    const { context, page } = await signedIn(app);
    const second = await another(context, "/second");
    const other = await signedIn(app);
    await becomes(app, [1, 2]);
    await second.close({ runBeforeUnload: false });
    await becomes(app, [1, 1]);
    await page.goto("/elsewhere");
    await becomes(app, [1, 1]);
    // A browser that is killed says no good-bye.
    await other.context.close();
    ahead = 90_000;
    await page.evaluate('dispatchEvent(new Event("online"))');
    await becomes(app, [0, 1]);
    expect(app.errors).toEqual([]);
  });

  test("both tabs show the message of a kill, and load the page again once it is acknowledged", async () => {
    const app = await server();
    const { context, page } = await signedIn(app);
    const second = await another(context, "/second");
    await becomes(app, [2]);
    await app.sessions.killSessionByUser("alice", { message: "The till is closed.\nSee you <tomorrow>." });
    for (const tab of [page, second]) {
      await notice(tab).waitFor();
      expect(await notice(tab).innerText()).toContain("The till is closed.\nSee you <tomorrow>.");
    }
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Escape")]);
    expect(await page.title()).toBe("__guest__ at /");
    await Promise.all([second.waitForEvent("load"), notice(second).getByRole("button").click()]);
    expect(await second.title()).toBe("__guest__ at /second");
  });

  test("the page that is loaded again after a kill says nothing more", async () => {
    const app = await server();
    const { page } = await signedIn(app);
    await becomes(app, [1]);
    await app.sessions.killSessionByUser("alice", { message: "Bye." });
    await notice(page).waitFor();
    const answering = page.waitForResponse((response) => response.url().endsWith("/pages-open"));
    await notice(page).getByRole("button").click();
    expect((await answering).status()).toBe(204);
    expect(await notice(page).count()).toBe(0);
  });

  test("a page that comes back from the back/forward cache after a kill says so", async () => {
    const app = await server();
    const { page } = await signedIn(app);
    await becomes(app, [1]);
    // What the browser does as it puts a page there, and takes it out.
    await page.evaluate('dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))');
    await becomes(app, [0]);
    await app.sessions.killSessionByUser("alice", { message: "Meanwhile." });
    await page.evaluate('dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))');
    await notice(page).waitFor();
    expect(await notice(page).innerText()).toContain("Meanwhile.");
  });

  test("a tab that comes to the front opens no stream of its own, and is told nothing twice", async () => {
    const app = await server();
    const { context, page } = await signedIn(app);
    const second = await another(context, "/second");
    await becomes(app, [2]);
    await eventually(() => app.sessions.pages.streams === 1);
    for (const tab of [page, second]) {
      await tab.evaluate('document.title = ""');
      await tab.evaluate(
        'document.addEventListener("coatcheck:message", ({ detail }) => (document.title += detail.data))',
      );
      await tab.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    }
    for (const n of [1, 2, 3]) await app.sessions.pages.send({ user: "alice" }, "n", n);
    for (const tab of [page, second]) await eventually(async () => (await tab.title()) === "123");
    expect(app.sessions.pages.streams).toBe(1);
  });

  test("pages at another server of the same store are told too", async () => {
    const [app, other] = [await server(), await server()];
    const { page } = await signedIn(app);
    await becomes(other, [1]);
    await other.sessions.killSessionByUser("alice", { message: "From afar." });
    await notice(page).waitFor();
    expect(await notice(page).innerText()).toContain("From afar.");
  });

  test("a logout in one tab is told to the other, and not to itself", async () => {
    const app = await server();
    const { context, page } = await signedIn(app);
    const second = await another(context, "/second");
    await becomes(app, [2]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await notice(second).waitFor();
    expect(await notice(second).innerText()).toContain("You signed out in another tab");
    await page.waitForURL("/");
    expect(await notice(page).count()).toBe(0);
  });

  test("ten tabs of one browser all load, and share one stream", async () => {
    const app = await server();
    const { context } = await signedIn(app);
    for (let n = 1; n < 10; n += 1) await another(context, `/tab${n}`);
    await becomes(app, [10]);
    await eventually(() => app.sessions.pages.streams === 1);
  });

  test("a message reaches all tabs", async () => {
    const app = await server();
    const { context, page } = await signedIn(app);
    const second = await another(context, "/second");
    for (const tab of [page, second]) {
      await tab.evaluate(
        `document.addEventListener("coatcheck:message", ({ detail }) => (document.title = JSON.stringify(detail)))`,
      );
    }
    await eventually(() => app.sessions.pages.streams === 1);
    await becomes(app, [2]);
    expect(await app.sessions.pages.send({ user: "alice" }, "order", { number: 7, text: "</script>" })).toBe(1);
    for (const tab of [page, second]) {
      const detail = { event: "order", data: { number: 7, text: "</script>" } };
      await eventually(async () => (await tab.title()) === JSON.stringify(detail));
    }
  });

  test("a minute before the idle end the page asks, and one click keeps the user signed in", async () => {
    const app = await server({ idleTimeout: "10m" });
    const { page } = await signedIn(app);
    await becomes(app, [1]);
    ahead = 9.5 * 60_000;
    await notice(page).waitFor();
    expect(await notice(page).innerText()).toMatch(/signed out in \d+ seconds/);
    await notice(page).getByRole("button").click();
    await eventually(async () => (await notice(page).count()) === 0);
    ahead = 12 * 60_000;
    await page.goto("/");
    expect(await page.title()).toBe("alice at /");
  });

  test("what its pages ask for is no activity: a session that nobody uses ends, and its page says so", async () => {
    const app = await server({ idleTimeout: "10m" });
    const { page } = await signedIn(app);
    await becomes(app, [1]);
    for (let minute = 1; minute <= 10; minute += 1) {
      ahead = minute * 60_000;
      await page.evaluate('dispatchEvent(new Event("online"))');
    }
    await notice(page).getByText("no activity").waitFor();
  });

  test("a page that came to the front shortly before its next word is due is counted all the while", async () => {
    const app = await server();
    const { context } = await signedIn(app);
    const page = await context.newPage();
    await page.clock.install();
    await page.goto("/second");
    await becomes(app, [2]);
    /** Lets time go on for the page and for the server. */
    const pass = async (ms: number) => {
      ahead += ms;
      await page.clock.runFor(ms);
    };
    await pass(45_000);
    const asking = page.waitForResponse((response) => response.url().endsWith("/pages-open"));
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    await asking;
    const again = page.waitForResponse((response) => response.url().endsWith("/pages-open"), { timeout: 5_000 });
    await pass(35_000);
    await again;
    await pass(20_000);
    const [info] = await app.sessions.getSessionInfo({ username: "alice" });
    expect(info?.pageIds).toContain(await page.evaluate("coatcheck.pageId"));
  });

  test("a page whose word the server could not take says it again soon", async () => {
    const app = await server();
    const { page } = await signedIn(app);
    await page.clock.install();
    await page.route("**/pages-open", (route) => route.fulfill({ status: 503 }), { times: 1 });
    const refused = page.waitForResponse((response) => response.url().endsWith("/pages-open"));
    await page.goto("/second");
    expect((await refused).status()).toBe(503);
    const again = page.waitForResponse((response) => response.url().endsWith("/pages-open"), { timeout: 5_000 });
    await page.clock.runFor(20_000);
    expect((await again).status()).toBe(200);
    await becomes(app, [1]);
  });

  test("the pages of a browser that is killed by SIGKILL are counted until their lease is over", async () => {
    const app = await server();
    const doomed = await launchBrowserServer();
    const connected = await chromium.connect(doomed.wsEndpoint());
    const page = await connected.newPage({ baseURL: app.url });
    await page.goto("/login/alice");
    await becomes(app, [1]);
    await eventually(() => app.sessions.pages.streams === 1);
    await doomed.kill();
    await eventually(() => app.sessions.pages.streams === 0);
    await becomes(app, [1]);
    ahead = 90_000;
    await becomes(app, [0]);
  });

  test("a stream that has gone silent without a word is replaced, and no message is lost or comes twice", async () => {
    const app = await server();
    const { context } = await signedIn(app);
    const page = await context.newPage();
    await page.clock.install();
    await context.pages()[0]!.close();
    await page.goto("/second");
    await page.evaluate('document.title = ""');
    await page.evaluate(
      'document.addEventListener("coatcheck:message", ({ detail }) => (document.title += detail.data))',
    );
    await becomes(app, [1]);
    await eventually(() => app.sessions.pages.streams === 1);
    await app.sessions.pages.send({ user: "alice" }, "n", 1);
    await eventually(async () => (await page.title()) === "1");
    let isCut = true;
    await page.route("**/pages-events?*", (route) => (isCut ? route.fulfill({ status: 503 }) : route.continue()));
    const refused = page.waitForResponse((response) => response.url().includes("/pages-events?!"));
    await page.clock.runFor(60_000);
    expect((await refused).status()).toBe(503);
    await eventually(() => app.sessions.pages.streams === 0);
    await app.sessions.pages.send({ user: "alice" }, "n", 2);
    isCut = false;
    await page.clock.runFor(60_000);
    await eventually(async () => (await page.title()) === "12");
    await app.sessions.pages.send({ user: "alice" }, "n", 3);
    await eventually(async () => (await page.title()) === "123");
    expect(app.sessions.pages.streams).toBe(1);
  });

  test("a page that is prerendered counts from when it is shown", async () => {
    const app = await server();
    const { context } = await signedIn(app);
    const page = await context.newPage();
    await page.addInitScript('document.__defineGetter__("prerendering", () => !window.isShown)');
    await page.goto("/second");
    await page.evaluate('dispatchEvent(new Event("online"))');
    await becomes(app, [1]);
    await page.evaluate('window.isShown = true; document.dispatchEvent(new Event("prerenderingchange"))');
    await becomes(app, [2]);
  });

  test("a page that a form has led to is loaded again without sending the form again", async () => {
    const app = await server();
    const { page } = await signedIn(app);
    await page.evaluate('document.querySelector("form").action = "/ordered"');
    await Promise.all([page.waitForURL("/ordered"), page.getByRole("button", { name: "Sign out" }).click()]);
    expect(await page.title()).toBe("alice at /ordered");
    await becomes(app, [1]);
    await page.evaluate('location.hash = "part"');
    const methods: string[] = [];
    page.on("request", (request) => {
      if (request.isNavigationRequest()) methods.push(request.method());
    });
    await app.sessions.killSessionByUser("alice");
    await Promise.all([page.waitForEvent("load"), notice(page).getByRole("button").click()]);
    expect(methods).toEqual(["GET"]);
    expect(await page.title()).toBe("__guest__ at /ordered");
  });

  test("an app may show the end itself", async () => {
    const app = await server();
    const { page } = await signedIn(app);
    await becomes(app, [1]);
    await page.evaluate(`document.addEventListener("coatcheck:ended", (event) => {
      event.preventDefault();
      document.title = event.detail.reason + " " + event.detail.message;
    })`);
    await app.sessions.killSessionByUser("alice", { message: "Bye." });
    await eventually(async () => (await page.title()) === "killed Bye.");
    expect(await notice(page).count()).toBe(0);
  });

  test("a page that comes back from the back/forward cache, or from being offline, is counted again", async () => {
    const app = await server();
    const { context, page } = await signedIn(app);
    await becomes(app, [1]);
    await page.goto("/second");
    await page.goBack();
    await becomes(app, [1]);
    await context.setOffline(true);
    ahead = 90_000;
    await becomes(app, [0]);
    await context.setOffline(false);
    await becomes(app, [1]);
  });

  test("without a session nothing is counted, stored or shown", async () => {
    const app = await server();
    const context = await browser.newContext({ baseURL: app.url });
    contexts.push(context);
    const page = await context.newPage();
    const answering = page.waitForResponse((response) => response.url().endsWith("/pages-open"));
    await page.goto("/");
    const answer = await answering;
    expect(answer.status()).toBe(204);
    expect(await context.cookies()).toEqual([]);
    expect(await app.sessions.getSessionInfo()).toHaveLength(0);
    expect(app.sessions.pages.streams).toBe(0);
  });
});
