import { MAX_OPEN_PAGES, PAGE_LEASE_MS } from "../../lib/record/open-pages";
import { MemoryStore } from "../../lib/stores/memory-store";
import type { SessionStore } from "../../lib/stores/store";
import { send } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { startPagesApp } from "../support/pages-app";
import type { PagesApp } from "../support/pages-app";
import { watchedStore } from "../support/watched-store";

const ID = "0123456789abcdef0123456789abcdef";
const id = (n: number) => n.toString(16).padStart(32, "0");

let app: PagesApp;
let now: number;
afterEach(() => app.close());

async function start(store: SessionStore): Promise<void> {
  now = Date.now();
  app = await startPagesApp({ store, now: () => now });
}

async function signIn(user = "alice"): Promise<string> {
  const { cookie } = await send("GET", `${app.url}/login/${user}`);
  return cookie!;
}

const post = (what: string, cookie: string | undefined, body: unknown, headers: Record<string, string> = {}) =>
  send(
    "POST",
    `${app.url}/session/pages-${what}`,
    {
      "content-type": "application/json",
      "sec-fetch-site": "same-origin",
      ...(cookie ? { cookie } : undefined),
      ...headers,
    },
    typeof body === "string" ? body : JSON.stringify(body),
  );

const pagesOf = async (cookie: string): Promise<any[]> =>
  JSON.parse((await send("GET", `${app.url}/pages`, { cookie })).body) as any[];

describeOnEveryStore("open pages", (every) => {
  beforeEach(async () => start(await every.open({ now: () => now })));

  it("are counted from the first word to the last, and told with path, title and times", async () => {
    const cookie = await signIn();
    const { status, body } = await post("open", cookie, { id: ID, path: "/cart", title: "Your cart" });
    expect(status).toBe(200);
    const [info] = await app.sessions.getSessionInfo({ username: "alice" });
    expect(JSON.parse(body)).toEqual({ session: info!.id });
    expect(info).toMatchObject({ activePages: 1, pageIds: [ID] });
    const times = { openedAt: new Date(now).toISOString(), seenAt: new Date(now).toISOString() };
    expect(await pagesOf(cookie)).toEqual([{ id: ID, path: "/cart", title: "Your cart", ...times }]);
    expect((await post("leave", cookie, { id: ID })).status).toBe(204);
    expect(await pagesOf(cookie)).toEqual([]);
    expect(app.errors).toEqual([]);
  });

  it("are gone when their lease is over, and back with their next word", async () => {
    const cookie = await signIn();
    await post("open", cookie, { id: ID, path: "/", title: "" });
    await post("open", cookie, { id: id(2), path: "/2", title: "" });
    const openedAt = new Date(now).toISOString();
    now += 60_000;
    await post("open", cookie, { id: ID, path: "/", title: "" });
    now += PAGE_LEASE_MS - 60_000;
    expect(await pagesOf(cookie)).toMatchObject([{ id: ID, openedAt }]);
    now += PAGE_LEASE_MS;
    expect(await pagesOf(cookie)).toEqual([]);
    await post("open", cookie, { id: ID, path: "/", title: "" });
    expect(await pagesOf(cookie)).toHaveLength(1);
  });

  it("of one session are fifty at most, and a flood of ids is bounded", async () => {
    const cookie = await signIn();
    for (let n = 0; n < MAX_OPEN_PAGES + 5; n += 1) {
      expect((await post("open", cookie, { id: id(n), path: "/", title: "" })).status).toBe(200);
    }
    expect(await pagesOf(cookie)).toHaveLength(MAX_OPEN_PAGES);
  });

  it("of two sessions with the same page id are two", async () => {
    const [alice, bob] = [await signIn("alice"), await signIn("bob")];
    await post("open", alice, { id: ID, path: "/a", title: "" });
    await post("open", bob, { id: ID, path: "/b", title: "" });
    await post("leave", bob, { id: ID });
    expect(await pagesOf(alice)).toMatchObject([{ path: "/a" }]);
  });

  it("take no change from the app: neither what is saved nor what is updated meanwhile is lost", async () => {
    const cookie = await signIn();
    const rounds = 12;
    const answers = await Promise.all(
      Array.from({ length: rounds }, (_, n) => [
        post("open", cookie, { id: id(n), path: "/", title: "" }),
        send("GET", `${app.url}/increment`, { cookie }),
        post("leave", cookie, { id: id(n) }),
      ]).flat(),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 204]));
    expect((await send("GET", `${app.url}/count`, { cookie })).body).toBe(String(rounds));
  });

  it("are no activity: the session's last visit stays", async () => {
    const cookie = await signIn();
    const [before] = await app.sessions.getSessionInfo({ username: "alice" });
    now += 20 * 60_000;
    await post("open", cookie, { id: ID, path: "/", title: "" });
    await post("leave", cookie, { id: ID });
    expect((await app.sessions.getSessionInfo({ username: "alice" }))[0]!.lastSeenAt).toEqual(before!.lastSeenAt);
    expect((await post("stay", cookie, { id: ID })).status).toBe(204);
    expect((await app.sessions.getSessionInfo({ username: "alice" }))[0]!.lastSeenAt).toEqual(new Date(now));
  });
});

describe("what pages say", () => {
  beforeEach(() => start(new MemoryStore({ now: () => now })));

  it("is text, on one line and cut, whatever it is", async () => {
    const cookie = await signIn();
    const title = "<script>alert(1)</script>\u0000\u2028\n" + "x".repeat(2_000);
    await post("open", cookie, { id: ID, path: `/\u0007${"y".repeat(1_000)}`, title });
    const [page] = await pagesOf(cookie);
    expect(page.title).toMatch(/^<script>alert\(1\)<\/script> x+$/);
    expect(page.title.length).toBeLessThanOrEqual(200);
    expect(page.path.length).toBeLessThanOrEqual(512);
    expect(page.path).toMatch(/^\/ y+$/);
    await post("open", cookie, { id: id(1), path: 7, title: ["no", "text"] });
    expect((await pagesOf(cookie))[1]).toMatchObject({ path: "", title: "" });
  });

  it.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["an array", "[]"],
    ["no id", "{}"],
    ["an id that is too short", { id: "abc" }],
    ["an id that is too long", { id: "a".repeat(65) }],
    ["an id of a message", { id: `!${ID}` }],
    ["an id that is no text", { id: { toString: ID } }],
    ["more than a page has to say", { id: ID, title: "x".repeat(10_000) }],
  ])("is refused where it is %s, and nothing is stored", async (_, body) => {
    const cookie = await signIn();
    expect((await post("open", cookie, body)).status).toBe(400);
    expect((await post("leave", cookie, body)).status).toBe(400);
    expect(await pagesOf(cookie)).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["another host of the same site", { "sec-fetch-site": "same-site" }],
    ["another origin, by an old browser", { "sec-fetch-site": "", origin: "https://evil.example" }],
    ["a sandbox", { "sec-fetch-site": "", origin: "null" }],
  ])("is refused where it comes from %s", async (_, headers) => {
    const cookie = await signIn();
    for (const what of ["open", "leave", "stay"]) {
      const answer = await post(what, cookie, { id: ID, path: "/", title: "" }, headers);
      expect([answer.status, answer.body]).toEqual([403, ""]);
    }
    expect((await send("GET", `${app.url}/session/pages-events`, { cookie, ...headers })).status).toBe(403);
    expect(await pagesOf(cookie)).toEqual([]);
  });
});

describe("pages without a live session", () => {
  it("cost nothing and are told nothing", async () => {
    const { store, calls } = watchedStore();
    await start(store);
    calls.length = 0;
    const answer = await post("open", undefined, { id: ID, path: "/", title: "" });
    expect([answer.status, answer.body, answer.cookie]).toEqual([204, "", undefined]);
    expect((await send("GET", `${app.url}/session/pages-events`)).status).toBe(204);
    expect(calls).toEqual([]);
  });

  it("with a cookie that opens nothing are told the same as without one", async () => {
    await start(new MemoryStore({ now: () => now }));
    const forged = `sid=${"A".repeat(43)}`;
    const answer = await post("open", forged, { id: ID, path: "/", title: "" });
    expect([answer.status, answer.body, answer.cookie]).toEqual([204, "", undefined]);
    expect((await send("GET", `${app.url}/session/pages-events`, { cookie: forged })).status).toBe(204);
    expect(await app.sessions.getSessionInfo()).toHaveLength(0);
  });

  it("are told how it ended where they had one, and nothing where they were loaded without", async () => {
    await start(new MemoryStore({ now: () => now }));
    const cookie = await signIn();
    const page = { id: ID, path: "/", title: "" };
    const { session } = JSON.parse((await post("open", cookie, page)).body) as { session: string };
    await app.sessions.killSessionByUser("alice", { message: "Bye." });
    const { body } = await post("open", cookie, { ...page, session });
    expect(JSON.parse(body)).toMatchObject({ ended: { reason: "killed", message: "Bye.", text: "Bye." } });
    const other = await post("open", cookie, { ...page, id: id(1) });
    expect([other.status, other.body]).toEqual([204, ""]);
    expect((await send("GET", `${app.url}/session/pages-events`, { cookie })).status).toBe(204);
  });

  it("learn that the browser has another session by now, and nothing of the one that they name", async () => {
    await start(new MemoryStore({ now: () => now }));
    const [alice, bob] = [await signIn("alice"), await signIn("bob")];
    const { session } = JSON.parse((await post("open", alice, { id: ID, path: "/", title: "" })).body) as {
      session: string;
    };
    const told = JSON.parse((await post("open", bob, { id: ID, session, path: "/", title: "" })).body) as object;
    const none = await post("open", bob, { id: ID, session: "B".repeat(43), path: "/", title: "" });
    expect(JSON.parse(none.body)).toEqual(told);
    expect(told).toMatchObject({ ended: { reason: "login", message: null } });
  });

  it("are not told of a sign-in where the browser has a guest's session by now", async () => {
    await start(new MemoryStore({ now: () => now }));
    const cookie = await signIn();
    const page = { id: ID, path: "/", title: "" };
    const { session } = JSON.parse((await post("open", cookie, page)).body) as { session: string };
    await send("GET", `${app.url}/logout`, { cookie });
    const guest = (await send("GET", `${app.url}/increment`)).cookie!;
    const { body } = await post("open", guest, { ...page, session });
    expect(JSON.parse(body)).toMatchObject({ ended: { reason: "closed", text: "You were signed out." } });
  });
});

it("a page costs one write a minute", async () => {
  const { store, calls } = watchedStore(undefined, new MemoryStore({ now: () => now }));
  await start(store);
  const cookie = await signIn();
  calls.length = 0;
  for (let second = 0; second < 180; second += 20) {
    await post("open", cookie, { id: ID, path: "/", title: `${second}` });
    now += 20_000;
  }
  expect(calls.filter((name) => name !== "load")).toEqual(["update", "update", "update"]);
});

it("a page is told how old what is written of it is, because its lease counts from then", async () => {
  await start(new MemoryStore({ now: () => now }));
  const cookie = await signIn();
  const ages: unknown[] = [];
  for (const ms of [0, 49_000, 1_000, 0]) {
    now += ms;
    const { body } = await post("open", cookie, { id: ID, path: "/", title: "" });
    ages.push((JSON.parse(body) as { age?: number }).age);
  }
  expect(ages).toEqual([undefined, 49_000, undefined, undefined]);
});

it("the script is small, cacheable by its hash, and the same with and without compression", async () => {
  await start(new MemoryStore());
  const plain = await send("GET", `${app.url}/session/pages.js`);
  expect(plain.headers).toMatchObject({
    "content-type": "text/javascript; charset=utf-8",
    "cache-control": "public, max-age=0, must-revalidate",
    "x-content-type-options": "nosniff",
    vary: "Accept-Encoding",
  });
  expect(plain.headers["set-cookie"]).toBeUndefined();
  const etag = String(plain.headers.etag);
  const compressed = await send("GET", `${app.url}/session/pages.js`, { "accept-encoding": "gzip, br" });
  expect(compressed.headers["content-encoding"]).toBe("gzip");
  expect(Number(compressed.headers["content-length"])).toBeLessThan(3 * 1024);
  const unchanged = await send("GET", `${app.url}/session/pages.js`, { "if-none-match": etag });
  expect([unchanged.status, unchanged.body]).toEqual([304, ""]);
  const named = await send("GET", `${app.url}/session/${app.sessions.pages.scriptName}`);
  expect(named.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
});
