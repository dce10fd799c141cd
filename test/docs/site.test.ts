import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import express from "express";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser";
import { howMany } from "../support/how-many";
import { GUIDES, ROOT, readDocument } from "./documents";

jest.setTimeout(600_000);

/** What `npm run docs` makes, as a reader finds it. */
describe("the site", () => {
  const site = mkdtempSync(join(tmpdir(), "coatcheck-site-test-"));
  let output: string;
  let server: Server;
  let address: string;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    const build = promisify(execFile)(process.execPath, [join(ROOT, "site/build-site.mjs"), "--out", site]);
    const { stdout, stderr } = await build.catch((error: unknown) => error as { stdout: string; stderr: string });
    output = stdout + stderr;
    server = express().use(express.static(site)).listen(0, "127.0.0.1");
    await once(server, "listening");
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  });
  beforeEach(() => (complaints = []));
  afterAll(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
    rmSync(site, { recursive: true });
  });

  const pages = () => readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  const open = async (name: string) => page.goto(`${address}${encodeURI(name)}`);
  const titles = () =>
    GUIDES.filter((path) => path !== "README.md" && path !== "docs/README.md").map((path) =>
      /^# (.+)$/m.exec(readDocument(path))![1]!.replaceAll("`", ""),
    );

  /** What the search shows for this text, as addresses within the site. */
  async function found(text: string): Promise<string[]> {
    await open("index.html");
    await page.click("#tsd-search-trigger");
    await page.locator("#tsd-search-input:enabled").pressSequentially(text);
    const results = page.locator("#tsd-search-results a[href]");
    await results.first().waitFor();
    const hrefs = await results.evaluateAll((links) => links.map((link) => (link as unknown as { href: string }).href));
    return hrefs.map((href) => decodeURI(href.replace(address, "").replace(/[?#].*$/, "")));
  }

  it("is built without a warning: all that is exported has a docstring, and each link in one leads somewhere", () => {
    expect(output).toBe("");
    expect(pages().length).toBeGreaterThan(100);
  });

  it("has every guide in its navigation, under the headings of the index, and every entry point", async () => {
    await open("index.html");
    await page.locator(".tsd-navigation a", { hasText: titles()[0]! }).first().waitFor({ state: "attached" });
    const navigation = (await page.locator(".tsd-navigation").allTextContents()).join("\n");
    const headings = [...readDocument("docs/README.md").matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
    const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { exports: object };
    const entries = Object.keys(exports)
      .filter((name) => name !== "./package.json")
      .map((name) => name.replace(/^\./, "coatcheck"));
    expect([...titles(), ...headings, ...entries].filter((text) => !navigation.includes(text))).toEqual([]);
  });

  it("opens each page without an error", async () => {
    const all = pages();
    const apart = Math.ceil(all.length / howMany(8, all.length));
    const visited = all.filter((name, index) => /^documents.|^[^/\\]*$/.test(name) || index % apart === 0);
    for (const name of visited) {
      await open(name);
      expect([name, await page.locator("h1").first().isVisible(), complaints]).toEqual([name, true, []]);
    }
  });

  it("has no link within itself that leads nowhere", () => {
    const texts = new Map(
      [...pages(), "assets/icons.svg"].map((name) => [name, readFileSync(join(site, name), "utf8")]),
    );
    const ids = new Map(
      [...texts].map(([name, html]) => [name, new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
    );
    const isDead = (name: string, target: string) => {
      const [path = "", anchor = ""] = target.split("#").map((part) => decodeURIComponent(part.replace(/\?.*$/, "")));
      const file = path === "" ? name : join(dirname(name), path);
      return !existsSync(join(site, file)) || (anchor !== "" && ids.get(file)?.has(anchor) !== true);
    };
    const dead = [...texts].flatMap(([name, html]) =>
      [...html.matchAll(/\s(?:href|src)="([^"]+)"/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && isDead(name, target))
        .map((target) => `${name}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  it("finds a function, and a guide by its title and by a word in it", async () => {
    expect(await found("killSessionByUser")).toContain("functions/coatcheck.killSessionByUser.html");
    expect(await found("Moving to another store")).toContainEqual(expect.stringMatching(/^documents\/Moving_/));
    expect(await found("PgBouncer")).toContainEqual(expect.stringMatching(/^documents\/.*(?:Postgres|PostgreSQL)/));
    expect(complaints).toEqual([]);
  });
});
