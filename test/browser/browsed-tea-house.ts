import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { openTeaHouse, PASSWORD } from "../example-app/open-tea-house";
import type { TeaHouse } from "../example-app/open-tea-house";
import { launchBrowser } from "../support/browser";

/** The Tea House on a server, and a browser whose visitors have cookies of their own. */
export class BrowsedTeaHouse {
  /** What visitors' pages complained of: errors of scripts, and what the Content-Security-Policy forbids. */
  readonly complaints: string[] = [];
  readonly port: number;
  readonly #browser: Browser;
  readonly #server: Server;
  readonly #house: TeaHouse;

  private constructor(browser: Browser, server: Server, house: TeaHouse) {
    this.port = (server.address() as AddressInfo).port;
    this.#browser = browser;
    this.#server = server;
    this.#house = house;
  }

  static async open(browser: Browser, house: TeaHouse): Promise<BrowsedTeaHouse> {
    const server = createServer(house.app).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new BrowsedTeaHouse(browser, server, house);
  }

  get sessions() {
    return this.#house.sessions;
  }

  get store() {
    return this.#house.store;
  }

  /** A visitor who has opened the page at `path`. */
  async visitor(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const baseURL = `http://127.0.0.1:${this.port}`;
    return this.another(await this.#browser.newContext({ baseURL, locale: "en-GB", ...options }), path);
  }

  /** Another page of a visitor. */
  async another(context: BrowserContext, path: string): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    await page.goto(path);
    return page;
  }

  /** A visitor who has signed in. */
  async signedIn(username: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.visitor("/sign-in", options);
    await signIn(page, username);
    return page;
  }

  async close(): Promise<void> {
    for (const context of this.#browser.contexts()) {
      // A request that is being answered by a test would fail.
      await context.unrouteAll({ behavior: "wait" });
      await context.close();
    }
    this.#server.closeAllConnections();
    await once(this.#server.close(), "close");
    await this.#house.sessions.close();
  }
}

/** One browser for the tests of a file, and a Tea House for each: what it returns is the one that is open. */
export function browsedTeaHouse(openHouse: () => Promise<TeaHouse> = openTeaHouse): () => BrowsedTeaHouse {
  let browser: Browser;
  let shop: BrowsedTeaHouse;
  beforeAll(async () => (browser = await launchBrowser()), 120_000);
  afterAll(async () => browser.close());
  beforeEach(async () => (shop = await BrowsedTeaHouse.open(browser, await openHouse())));
  afterEach(async () => shop.close());
  return () => shop;
}

/** Signs in on the sign-in page that a visitor has open. */
export async function signIn(page: Page, username: string, { remember = false } = {}): Promise<void> {
  await page.locator("#username").fill(username);
  await page.locator("#password").fill(PASSWORD);
  if (remember) await page.getByRole("checkbox").check();
  await Promise.all([page.waitForURL((url) => url.pathname !== "/sign-in"), page.keyboard.press("Enter")]);
}
