import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FormBrowser } from "../support/form-browser";
import { freePort } from "../support/free-port";
import { GuideProject } from "../support/guide-project";
import type { RunningExample } from "../support/guide-project";

/** A provider for OAuth 2 and OpenID Connect; its sign-in page takes any name, and any password. */
const PROVIDER = `
  import Provider from "oidc-provider";
  const { ISSUER, PORT, CLIENT_ID, CLIENT_SECRET, BASE_URL } = process.env;
  const provider = new Provider(ISSUER, {
    clients: [{
      client_id: CLIENT_ID, client_secret: CLIENT_SECRET, token_endpoint_auth_method: "client_secret_post",
      redirect_uris: [BASE_URL + "/callback"], post_logout_redirect_uris: [BASE_URL + "/"],
    }],
    cookies: { keys: ["a key of the tests"] },
  });
  provider.listen(PORT, "127.0.0.1", () => console.log("listening"));
`;
/** scrypt takes its time, and more of it on a busy machine. */
jest.setTimeout(120_000);

const PACKAGES = ["passport", "passport-local", "passport-oauth2", "openid-client", "oidc-provider"];

/** Every program of the guide is compiled with strict types, and run. */
describe("docs/sign-in.md", () => {
  const guide = new GuideProject("sign-in.md", PACKAGES, { fragments: true });
  const running: RunningExample[] = [];

  beforeAll(async () => {
    await guide.compile();
    writeFileSync(join(guide.folder, "provider.js"), PROVIDER);
  });
  afterEach(async () => {
    for (const { child, exited } of running.splice(0)) {
      child.kill("SIGKILL");
      await exited;
    }
  });
  afterAll(() => guide.dispose());

  async function start(name: string, env: NodeJS.ProcessEnv): Promise<void> {
    const example = guide.start(name, [], env);
    running.push(example);
    while ((await example.line()) !== "listening");
  }

  async function startAlone(name: string): Promise<string> {
    const PORT = String(await freePort());
    await start(name, { PORT });
    return `http://localhost:${PORT}`;
  }

  /** Starts the provider, and the app beside it. */
  async function startWithProvider(name: string): Promise<string> {
    const ports = [await freePort(), await freePort()];
    const [ISSUER = "", BASE_URL = ""] = ports.map((port) => `http://localhost:${port}`);
    const env = { ISSUER, BASE_URL, CLIENT_ID: "shop", CLIENT_SECRET: "the shop's secret" };
    await start("provider", { ...env, PORT: String(ports[0]) });
    await start(name, { ...env, PORT: String(ports[1]) });
    return BASE_URL;
  }

  it("has no program that is not run here", () => {
    const whole = ["passwords", "accounts", "own-passwords", "passport-local", "passport-oauth2", "openid"];
    expect(guide.names).toEqual(whole);
  });

  describe("own-passwords.ts", () => {
    let base: string;
    const signIn = (browser: FormBrowser, name: string, password: string) =>
      browser.open(`${base}/sign-in`, { name, password });
    const signedIn = async (name: string, password: string) => {
      const browser = new FormBrowser();
      expect(await signIn(browser, name, password)).toMatchObject({ status: 200, text: name });
      return browser;
    };
    beforeEach(async () => {
      base = await startAlone("own-passwords");
    });

    it("signs in and out", async () => {
      const alice = new FormBrowser();
      expect(await signIn(alice, "alice", "wrong")).toMatchObject({ status: 401 });
      expect(await signIn(alice, "nobody", "correct horse")).toMatchObject({ status: 401 });
      expect(await alice.open(`${base}/me`)).toMatchObject({ status: 401 });
      expect(await signIn(alice, "alice", "correct horse")).toMatchObject({ status: 200, text: "alice" });
      await alice.open(`${base}/sign-out`, {});
      expect(await alice.open(`${base}/me`)).toMatchObject({ status: 401 });
    });

    it("knows roles", async () => {
      const alice = await signedIn("alice", "correct horse");
      const bob = await signedIn("bob", "battery staple");
      expect(await alice.open(`${base}/reports`)).toMatchObject({ status: 200 });
      expect(await bob.open(`${base}/reports`)).toMatchObject({ status: 403 });
    });

    it("ends the user's other sessions with a new password, and all of them when asked to", async () => {
      const alice = await signedIn("alice", "correct horse");
      const elsewhere = await signedIn("alice", "correct horse");
      const wanted = { old: "correct horse", wanted: "another horse" };
      expect(await alice.open(`${base}/password`, wanted)).toMatchObject({ status: 200, text: "alice" });
      expect(await elsewhere.open(`${base}/me`)).toMatchObject({ status: 401 });
      expect(await signIn(elsewhere, "alice", "another horse")).toMatchObject({ status: 200, text: "alice" });
      await alice.open(`${base}/sign-out-everywhere`, {});
      for (const one of [alice, elsewhere]) expect(await one.open(`${base}/me`)).toMatchObject({ status: 401 });
    });
  });

  it("passport-local.ts signs in and out", async () => {
    const base = await startAlone("passport-local");
    const alice = new FormBrowser();
    const signIn = (password: string) => alice.open(`${base}/sign-in`, { name: "alice", password });
    expect(await signIn("wrong")).toMatchObject({ url: `${base}/sign-in` });
    expect(await signIn("correct horse")).toMatchObject({ url: `${base}/me`, status: 200, text: "alice" });
    await alice.open(`${base}/sign-out`, {});
    expect(await alice.open(`${base}/me`)).toMatchObject({ status: 401 });
  });

  it.each(["passport-oauth2", "openid"])("%s.ts signs in at a real provider, and out", async (name) => {
    const base = await startWithProvider(name);
    const alice = new FormBrowser();
    const signInPage = await alice.open(`${base}/sign-in`);
    const consentPage = await alice.send(signInPage, { login: "alice", password: "any" });
    expect(await alice.send(consentPage)).toMatchObject({ url: `${base}/me`, status: 200, text: "alice" });

    const signedOut = await alice.open(`${base}/sign-out`, {});
    if (name === "openid") await alice.send(signedOut, { logout: "yes" });
    expect(await alice.open(`${base}/me`)).toMatchObject({ text: "__guest__" });

    const forged = new FormBrowser();
    expect((await forged.open(`${base}/callback?code=stolen&state=forged`)).text).not.toBe("alice");
    expect(await forged.open(`${base}/me`)).toMatchObject({ text: "__guest__" });
  });
});
