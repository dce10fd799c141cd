import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import type { Browser, BrowserServer } from "playwright-core";

/** Starts a headless Chromium. The caller has to close it: `await browser.close()` ends its processes. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await chromiumPath() });
}

/** Starts one that can be ended by SIGKILL: `kill()`. */
export async function launchBrowserServer(): Promise<BrowserServer> {
  return chromium.launchServer({ executablePath: await chromiumPath() });
}

/**
 * Where Chromium is. The package unpacks it into the temporary folder without a lock, so that two test files at once
 * could run an incomplete one. Here each unpacks into its own folder, and the first to finish gives it the name that
 * all use.
 */
async function chromiumPath(): Promise<string> {
  const home = join(tmpdir(), `chromium-${await packageVersion()}`);
  const path = join(home, "chromium");
  if (existsSync(path)) return path;

  const unpacked = await mkdtemp(`${home}-`);
  const unpack = `require("@sparticuz/chromium").executablePath()`;
  await promisify(execFile)(process.execPath, ["-e", unpack], { env: { ...process.env, TMPDIR: unpacked } });
  try {
    await rename(unpacked, home);
  } catch (error) {
    await rm(unpacked, { recursive: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

async function packageVersion(): Promise<string> {
  const manifest = join(require.resolve("@sparticuz/chromium"), "../../../package.json");
  return (JSON.parse(await readFile(manifest, "utf8")) as { version: string }).version;
}
