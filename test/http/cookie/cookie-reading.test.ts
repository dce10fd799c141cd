import { startApp } from "../../support/app";
import type { AppOptions, RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { watchedStore } from "../../support/watched-store";
import type { WatchedStore } from "../../support/watched-store";
import { exchange } from "../hold/hold-response-app";

const WELL_FORMED = `${"x".repeat(42)}A`;
const NO_TOKENS: readonly [string, string][] = [
  ["that is empty", ""],
  ["that is too short", "x".repeat(42)],
  ["that is too long", `${"x".repeat(43)}A`],
  ["whose last character could not be", `${"x".repeat(42)}B`],
  ["with padding", `${"x".repeat(42)}=`],
  ["of another alphabet", `${"x".repeat(40)}+/A`],
  ["that is quoted", `"${WELL_FORMED}"`],
  ["with a path in it", "../../etc/passwd"],
  ["with broken percent-encoding", "%E0%A4%A"],
  ["that is JSON", '{"views":1}'],
];

let app: RunningApp;
let watched: WatchedStore;
afterEach(() => app.close());

async function start(options: AppOptions = {}): Promise<void> {
  watched = watchedStore();
  app = await startApp(countingRoutes, { store: watched.store, ...options });
}

/** A session that was made by `/count`, as `name=value`. */
async function visitor(): Promise<string> {
  const { cookie } = await app.get("/count");
  watched.calls.length = 0;
  return cookie!;
}

async function viewsWith(cookie: string): Promise<number> {
  const answer = await app.get("/read", { cookie });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body).views;
}

describe("reading the cookie", () => {
  it.each(NO_TOKENS)("P5: a value %s costs no store call and starts nothing", async (_what, value) => {
    await start();
    expect(await viewsWith(`sid=${value}`)).toBe(0);
    expect(watched.calls).toEqual([]);
  });

  it("P5: an unknown token is asked for once, and never adopted", async () => {
    await start();
    const answer = await app.get("/count", { cookie: `sid=${WELL_FORMED}` });
    expect(answer.cookie).toBeDefined();
    expect(answer.cookie).not.toContain(WELL_FORMED);
    expect(watched.calls.filter((call) => call === "load")).toHaveLength(1);
    expect(await viewsWith(`sid=${WELL_FORMED}`)).toBe(0);
  });

  it.each(NO_TOKENS)(
    "of two cookies of our name takes the one that can be ours, beside one %s",
    async (_what, value) => {
      await start();
      const own = await visitor();
      expect(await viewsWith(`sid=${value}; ${own}`)).toBe(1);
      expect(await viewsWith(`${own}; sid=${value}`)).toBe(1);
      expect(watched.calls).toEqual(["load", "load"]);
    },
  );

  it("of two cookies that can both be ours takes the first, as browsers send the more specific one first", async () => {
    await start();
    const [first, second] = [await visitor(), await visitor()];
    await app.get("/count", { cookie: second });
    expect(await viewsWith(`${first}; ${second}`)).toBe(1);
    expect(await viewsWith(`${second}; ${first}`)).toBe(2);
  });

  it.each(["sidecar=", "sid-shop=", "sid.sig=", "xsid=", "x-sid=", "SID=", "__Host-sid=", "__Secure-sid=", "sid"])(
    "takes %s for another's cookie",
    async (other) => {
      await start();
      const own = await visitor();
      const value = own.slice("sid=".length);
      expect(await viewsWith(other + value)).toBe(0);
      expect(watched.calls).toEqual([]);
      expect(await viewsWith(`${other}${WELL_FORMED}; ${own}`)).toBe(1);
      expect(await viewsWith(`${own};${other}${WELL_FORMED}`)).toBe(1);
    },
  );

  it.each(["a=sid=", "a=b,sid=", 'a="sid=', "a=b sid="])(
    "does not look for our name inside a value: %s",
    async (before) => {
      await start();
      const own = await visitor();
      expect(await viewsWith(before + own.slice("sid=".length))).toBe(0);
      expect(watched.calls).toEqual([]);
      expect(await viewsWith(`${before}${WELL_FORMED}; ${own}`)).toBe(1);
    },
  );

  it("bears spaces and tabs around names and values, and empty pairs", async () => {
    await start();
    const own = await visitor();
    const [name, value] = own.split("=");
    expect(await viewsWith(`;; ; a;\t ${name} =\t${value} ;;`)).toBe(1);
  });

  it("finds it in a header of 16 KB, first, last and in the middle", async () => {
    await start();
    const own = await visitor();
    const others = (bytes: number) => Array.from({ length: bytes / 16 }, (_, n) => `sid${1000 + n}=sid=abc`).join("; ");
    const half = others(7_500);
    for (const cookie of [`${own}; ${half}; ${half}`, `${half}; ${half}; ${own}`, `${half}; ${own}; ${half}`]) {
      expect(cookie.length).toBeGreaterThan(14_000);
      expect(await viewsWith(cookie)).toBe(1);
    }
  });

  it("finds it where the browser sends several Cookie headers, as HTTP/2 proxies do", async () => {
    await start();
    const own = await visitor();
    const headers = `Cookie: a=b\r\nCookie: sid=short\r\nCookie: ${own}\r\n`;
    const answer = await exchange(portOf(app), `GET /read HTTP/1.1\r\nHost: x\r\n${headers}Connection: close\r\n\r\n`);
    expect(answer.toString()).toContain('"views":1');
  });

  it.each(["sid=\0", `sid=${WELL_FORMED}\0`, "\0sid=x", "sid\0=x"])(
    "leaves a header with a NUL to Node, which refuses it: %j",
    async (cookie) => {
      await start();
      const head = `GET /count HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;
      expect((await exchange(portOf(app), head)).toString()).toMatch(/^HTTP\/1.1 400 /);
      expect(watched.calls).toEqual([]);
    },
  );

  it("bears bytes that are no ASCII", async () => {
    await start();
    const own = await visitor();
    const head = `GET /read HTTP/1.1\r\nHost: x\r\nCookie: a=\xff\xfe; sid=\xe9\x80; ${own}\r\nConnection: close\r\n\r\n`;
    expect((await exchange(portOf(app), head)).toString()).toContain('"views":1');
  });
});

function portOf({ url }: RunningApp): number {
  return Number(new URL(url).port);
}
