import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FormBrowser } from "../support/form-browser";
import { freePort } from "../support/free-port";
import { installedProject } from "../support/installed-project";
import { describeOnRedis, freshPrefix, redisUrl, withRedis } from "../support/redis-server";

const PACKAGES = ["express", "express-session", "connect-redis", "redis", "passport", "passport-local"];
const MORE = ["connect-flash", "csrf-sync", "cookie", "cookie-signature"];
const SESSION_SECRET = "a secret of the tests, which has more than 32 bytes";

interface Home {
  readonly user: string | null;
  readonly views: number;
  readonly basket: readonly { readonly tea: string; readonly added: string }[];
  readonly messages: readonly string[];
  readonly csrf: string;
}

/** A small shop on express-session, and the same shop after it was moved. */
describeOnRedis("an app with passport, flash, CSRF and a Redis store", () => {
  let folder: string;
  let prefix: string;
  let running: ChildProcess | undefined;

  beforeAll(() => {
    folder = installedProject([...PACKAGES, ...MORE], { type: "module" });
    for (const name of ["before.mjs", "after.mjs"]) copyFileSync(join(__dirname, name), join(folder, name));
  });
  beforeEach(() => {
    prefix = freshPrefix();
  });
  afterEach(async () => {
    await stop();
    await withRedis(async (client) => {
      const keys = await client.keys(`*${prefix}*`);
      if (keys.length > 0) await client.del(keys);
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function stop(): Promise<void> {
    running?.kill("SIGKILL");
    if (running?.exitCode === null && running.signalCode === null) await once(running, "close");
  }

  /** Starts it in the place of what ran before. */
  async function start(program: string, port: number): Promise<void> {
    await stop();
    const env = { PATH: process.env.PATH, PORT: String(port), PREFIX: prefix, REDIS_URL: redisUrl(), SESSION_SECRET };
    const child = spawn(process.execPath, [program], { cwd: folder, env });
    running = child;
    let complaints = "";
    child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
    const ended = once(child, "close").then(() => [`${program} ended: ${complaints}`]);
    const [line] = (await Promise.race([once(child.stdout, "data"), ended])) as [unknown];
    expect(String(line)).toBe("listening\n");
  }

  /** A visitor of the shop: reads its page, and sends its forms with the page's token. */
  function visitor(port: number) {
    const browser = new FormBrowser();
    const base = `http://127.0.0.1:${port}`;
    const home = async () => JSON.parse((await browser.open(base)).text) as Home;
    const post = async (path: string, fields: Record<string, string> = {}) => {
      const { csrf } = await home();
      return JSON.parse((await browser.open(base + path, { csrf, ...fields })).text) as Home;
    };
    return { browser, base, home, post };
  }

  describe.each(["before.mjs", "after.mjs"])("%s", (program) => {
    let port: number;
    let alice: ReturnType<typeof visitor>;
    beforeEach(async () => {
      port = await freePort();
      await start(program, port);
      alice = visitor(port);
    });

    it("counts views, of guests too", async () => {
      expect(await alice.home()).toMatchObject({ user: null, views: 1, messages: [] });
      expect(await alice.home()).toMatchObject({ user: null, views: 2 });
      expect(await visitor(port).home()).toMatchObject({ views: 1 });
    });

    it("refuses a form without its token", async () => {
      await alice.home();
      expect((await alice.browser.open(`${alice.base}/basket`, { tea: "oolong" })).status).toBe(403);
      expect(await alice.home()).toMatchObject({ basket: [] });
    });

    it("keeps a basket, and shows a message once, on the page after the redirect", async () => {
      const { messages, basket } = await alice.post("/basket", { tea: "oolong" });
      expect([messages, basket.map(({ tea }) => tea)]).toEqual([["oolong is in your basket"], ["oolong"]]);
      expect(new Date(basket[0]!.added).getTime()).toBeGreaterThan(0);
      expect(await alice.home()).toMatchObject({ messages: [] });
    });

    it("signs in with a session of its own, and out", async () => {
      expect(await alice.post("/sign-in", { name: "alice", password: "wrong" })).toMatchObject({
        user: null,
        messages: ["Wrong name or password"],
      });
      await alice.post("/basket", { tea: "oolong" });
      const signedIn = await alice.post("/sign-in", { name: "alice", password: "correct horse" });
      expect(signedIn).toMatchObject({ user: "alice", views: 1, basket: [] });
      expect(await alice.home()).toMatchObject({ user: "alice", views: 2 });
      expect(await alice.post("/sign-out")).toMatchObject({ user: null, views: 1 });
    });

    it("remembers whoever wants it, by a cookie of a month", async () => {
      const cookie = () => [...alice.browser.lastSet.values()].at(-1);
      await alice.post("/sign-in", { name: "alice", password: "correct horse" });
      expect(cookie()).not.toMatch(/expires|max-age/i);
      const remembered = { name: "alice", password: "correct horse", remember: "on" };
      expect(await alice.post("/sign-in", remembered)).toMatchObject({ user: "alice", views: 1 });
      expect(cookie()).toMatch(/expires|max-age/i);
      expect(await alice.home()).toMatchObject({ user: "alice", views: 2 });
    });

    it("starts over after destroy", async () => {
      await alice.post("/basket", { tea: "oolong" });
      expect(await alice.post("/empty")).toMatchObject({ views: 1, basket: [] });
    });
  });

  it("is moved with nobody signed out, and no basket lost", async () => {
    const port = await freePort();
    await start("before.mjs", port);
    const [alice, bob, guest] = [visitor(port), visitor(port), visitor(port)];
    await alice.post("/sign-in", { name: "alice", password: "correct horse" });
    await bob.post("/sign-in", { name: "bob", password: "battery staple", remember: "on" });
    await guest.post("/basket", { tea: "oolong" });
    const late = alice.browser.copy();
    await start("after.mjs", port);
    expect(await alice.home()).toMatchObject({ user: "alice", views: 2 });
    // A request that was sent before the browser had our cookie.
    expect(JSON.parse((await late.open(alice.base)).text)).toMatchObject({ user: "alice", views: 3 });
    expect(await alice.post("/basket", { tea: "sencha" })).toMatchObject({
      user: "alice",
      basket: [{ tea: "sencha" }],
    });
    expect(await bob.home()).toMatchObject({ user: "bob" });
    expect([alice, bob].map(({ browser }) => browser.lastSet.get("sid")?.includes("Max-Age"))).toEqual([false, true]);
    expect(await guest.home()).toMatchObject({ user: null, basket: [{ tea: "oolong" }] });
    const old = await withRedis((client) => client.keys(`${prefix}:sess:*`));
    expect(old).toEqual([]);
  });

  it("is moved by the lines that the guide shows", async () => {
    const guide = readFileSync(join(__dirname, "../../docs/from-express-session.md"), "utf8");
    const shown = /^```diff\n([^]*?)^```/m.exec(guide)?.[1];
    const args = ["diff", "--no-index", "--unified=1", "--", "before.mjs", "after.mjs"];
    const diff = await new Promise<string>((resolve) => {
      execFile("git", args, { cwd: folder }, (_differs, stdout) => resolve(stdout));
    });
    const lines = diff
      .split("\n")
      .slice(4)
      .map((line) => line.replace(/^(@@ [^@]+ @@).*/, "$1"));
    expect(shown).toBe(lines.join("\n"));
  });
});
