import type { Browser } from "playwright-core";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { launchBrowser } from "../support/browser";
import { countingRoutes } from "../support/counting-routes";

describe("on plain HTTP, on the developer's own machine", () => {
  let browser: Browser;
  let app: RunningApp;
  beforeAll(async () => (browser = await launchBrowser()), 60_000);
  afterAll(async () => browser.close());
  afterEach(() => app.close());

  it.each([
    {},
    { sameSite: "none" },
    { partitioned: true },
    { secure: true },
    { prefix: false, secure: true },
  ] as const)("a browser keeps the session's cookie with %j", async (cookie) => {
    app = await startApp(countingRoutes, { cookie });
    for (const host of ["localhost", "127.0.0.1"]) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const url = `${app.url.replace("127.0.0.1", host)}/count`;
      await page.goto(url);
      await page.goto(url);
      expect(await page.innerText("body")).toBe('{"views":2}');
      await context.close();
    }
  });
});
