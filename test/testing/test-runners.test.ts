import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { launchBrowserServer } from "../support/browser";
import { installedProject } from "../support/installed-project";

jest.setTimeout(180_000);

const ROOT = join(__dirname, "../..");
const GUIDE = readFileSync(join(ROOT, "docs/testing.md"), "utf8");
const VITEST = /^import \{.*\} from "vitest".*\n/m;

/** The files of the guide, by their names. */
function files(): Map<string, string> {
  const blocks = [...GUIDE.matchAll(/^```js\n\/\/ (\S+)\n([^]*?)^```/gm)];
  return new Map(blocks.map(([, name = "", code = ""]) => [name, code]));
}

let folder: string;

beforeAll(() => {
  const runners = ["vitest", "jest", "@swc/jest", "@swc/core", "playwright-core"];
  folder = installedProject(["express", "supertest", ...runners], { type: "module" });
  for (const [name, code] of files()) {
    const header = name.includes(".test.") ? 'import { newApp } from "./app.js";\n' : "";
    writeFileSync(join(folder, name), header + code);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program of the project to its end; resolves to its exit code and what it printed. */
async function run(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [resolve(ROOT, "node_modules", command), ...args], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: "test", CI: "true", NO_COLOR: "1", NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

describe("the guide to tests", () => {
  it("runs with vitest", async () => {
    const { code, output } = await run("vitest/vitest.mjs", ["run", "--root", folder]);
    expect([code, output]).toEqual([0, expect.stringMatching(/Tests\s+4 passed \(4\)/)]);
  });

  it("runs with jest, without the line that it tells to leave out", async () => {
    for (const each of ["orders.test.js", "expiry.test.js"]) {
      const code = readFileSync(join(folder, each), "utf8");
      expect(code).toMatch(VITEST);
      writeFileSync(join(folder, each.replace(".test.js", ".jest.js")), code.replace(VITEST, ""));
    }
    const config = {
      rootDir: folder,
      testMatch: ["**/*.jest.js"],
      transform: { "\\.js$": ["@swc/jest", { module: { type: "commonjs" } }] },
      transformIgnorePatterns: ["/node_modules/"],
    };
    const { code, output } = await run("jest/bin/jest.js", ["--config", JSON.stringify(config)]);
    expect([code, output]).toEqual([0, expect.stringMatching(/Tests:\s+3 passed, 3 total/)]);
  });

  it("signs a browser in", async () => {
    writeFileSync(join(folder, "run-browser.js"), RUN_BROWSER);
    const server = await launchBrowserServer();
    try {
      const { code, output } = await run(join(folder, "run-browser.js"), [server.wsEndpoint()]);
      expect([code, output]).toEqual([0, '{"of":"alice","drafts":0}\n']);
    } finally {
      await server.close();
    }
  });
});

/** What a reader's test would be around the guide's function: the app, and a browser that opens a page of it. */
const RUN_BROWSER = `
import { once } from "node:events";
import { createServer } from "node:http";
import { chromium } from "playwright-core";
import { MemoryStore } from "coatcheck/testing";
import { newApp } from "./app.js";
import { signedIn } from "./browser.js";

const server = createServer(newApp({ store: new MemoryStore(), clearSchedule: false })).listen(0, "127.0.0.1");
await once(server, "listening");
const browser = await chromium.connect(process.argv[2]);
const page = await signedIn(browser, "http://127.0.0.1:" + server.address().port, "alice");
await page.goto("/orders");
console.log(await page.textContent("body"));
await browser.close();
server.closeAllConnections();
server.close();
`;
