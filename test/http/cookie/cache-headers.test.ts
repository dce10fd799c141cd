import type { Response } from "express";
import { EXPRESSES, startApp } from "../../support/app";
import type { Answer, RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";

let app: RunningApp;
afterEach(() => app.close());

/** What a route answers with that sets headers of its own, and reads or changes the session before or after it. */
async function answerWith(path: "/read" | "/write" | "/neither", headers: (res: Response) => void): Promise<Answer> {
  app = await startApp((express) => {
    express.get(path, (req, res) => {
      headers(res);
      if (path === "/read") void req.session.get("views");
      if (path === "/write") req.session.views = 1;
      res.end("answer");
    });
  });
  return app.get(path);
}

describe("Vary", () => {
  it("is Cookie where the session was read, also where there is none", async () => {
    app = await startApp(countingRoutes);
    expect((await app.get("/read")).headers.vary).toBe("Cookie");
    const first = await app.get("/count");
    expect(first.headers.vary).toBe("Cookie");
    expect((await app.get("/read", { cookie: first.cookie })).headers.vary).toBe("Cookie");
  });

  it("is left alone where the session was not read, also by a request that has one", async () => {
    app = await startApp(countingRoutes);
    const { cookie } = await app.get("/count");
    expect((await app.get("/plain", { cookie })).headers).not.toHaveProperty("vary");
  });

  it.each([
    ["Accept-Encoding", "Accept-Encoding, Cookie"],
    ["Accept-Encoding, cookie", "Accept-Encoding, cookie"],
    ["*", "*"],
    [["Accept", "Origin"], "Accept, Origin, Cookie"],
  ])("joins the app's own %j", async (own, all) => {
    expect((await answerWith("/read", (res) => res.setHeader("Vary", own))).headers.vary).toBe(all);
  });

  it("joins what the app gives to writeHead", async () => {
    app = await startApp((express) => {
      express.get("/", (req, res) => {
        void req.session.get("views");
        res.writeHead(200, { vary: "Accept" }).end();
      });
    });
    expect((await app.get("/")).headers.vary).toBe("Accept, Cookie");
  });
});

describe("Cache-Control of a response that sets the cookie", () => {
  it.each([
    [undefined, "no-store"],
    ["no-store", "no-store"],
    ["private, max-age=60", "private, max-age=60"],
    ["public, max-age=60", "private, max-age=60"],
    ["max-age=60", "private, max-age=60"],
    ["public, s-maxage=600, max-age=60", "private, max-age=60"],
    ["PUBLIC , S-MaxAge=600", "private"],
    ["no-cache", "private, no-cache"],
    ['private="Set-Cookie", max-age=60', 'private, private="Set-Cookie", max-age=60'],
    ["", "private"],
  ])("makes of %j %j", async (own, sent) => {
    const answer = await answerWith("/write", (res) => {
      if (own !== undefined) res.setHeader("Cache-Control", own);
    });
    expect(answer.cookie).toBeDefined();
    expect(answer.headers["cache-control"]).toBe(sent);
  });

  it("is the app's own where no cookie is set", async () => {
    const own = "public, max-age=60, s-maxage=600";
    const answer = await answerWith("/read", (res) => res.setHeader("Cache-Control", own));
    expect(answer.headers["cache-control"]).toBe(own);
  });

  it("covers also a cookie that is taken back", async () => {
    app = await startApp((express) => {
      countingRoutes(express);
      express.get("/end", (req, res) => {
        Object.assign(req, { session: null });
        res.set("Cache-Control", "public, max-age=60").send("bye");
      });
    });
    const { cookie } = await app.get("/count");
    const answer = await app.get("/end", { cookie });
    expect(answer.headers["set-cookie"]).toEqual([expect.stringMatching(/^sid=; Max-Age=0; /)]);
    expect(answer.headers["cache-control"]).toBe("private, max-age=60");
  });

  it("keeps the app's own cookies beside ours", async () => {
    const answer = await answerWith("/write", (res) => res.cookie("theme", "dark").cookie("lang", "en"));
    expect(answer.headers["set-cookie"]).toEqual([
      "theme=dark; Path=/",
      "lang=en; Path=/",
      expect.stringMatching(/^sid=/),
    ]);
  });
});

/** What only shared caches read, as an app may set it, and what is made of it. */
const SHARED: readonly [name: string, own: string, sent: string][] = [
  ["CDN-Cache-Control", "max-age=600", "no-store"],
  ["CDN-Cache-Control", "public, max-age=600", "no-store"],
  ["CDN-Cache-Control", "", "no-store"],
  ["CDN-Cache-Control", 'private="Set-Cookie", max-age=600', "no-store"],
  ["CDN-Cache-Control", "Private, max-age=60", "Private, max-age=60"],
  ["Cloudflare-CDN-Cache-Control", "max-age=600", "no-store"],
  ["Vercel-CDN-Cache-Control", "s-maxage=600", "no-store"],
  ["Netlify-CDN-Cache-Control", "public, durable, max-age=600", "no-store"],
  ["Akamai-Cache-Control", "max-age=600", "no-store"],
  ["X-LiteSpeed-Cache-Control", "public, max-age=600", "no-store"],
  ["Surrogate-Control", "max-age=600", "no-store"],
  ["Surrogate-Control", 'max-age=600, content="ESI/1.0"', 'no-store, content="ESI/1.0"'],
  ["Surrogate-Control", 'no-store, content="ESI/1.0"', 'no-store, content="ESI/1.0"'],
  ["Edge-Control", "!no-store, max-age=600, dca=esi", "no-store, dca=esi"],
  ["X-Accel-Expires", "600", "0"],
];

describe.each(EXPRESSES)("headers for shared caches alone, on %s", (_name, express) => {
  beforeEach(async () => {
    app = await startApp(
      (main) => {
        main.use((req, res, next) => {
          const { name, value = "" } = req.query as Record<string, string>;
          if (name !== undefined) res.setHeader(name, value);
          next();
        });
        main.get("/key", (req, res) => res.send(req.session.securityKeys.staticKey));
        countingRoutes(main);
      },
      { express },
    );
  });

  it.each(SHARED)("%s: %j becomes %j beside the cookie, and beside a key", async (name, own, sent) => {
    const query = new URLSearchParams({ name, value: own }).toString();
    const first = await app.get(`/count?${query}`);
    expect(first.cookie).toBeDefined();
    expect(first.headers[name.toLowerCase()]).toBe(sent);
    expect(first.headers["cache-control"]).toBe("no-store");
    const { cookie } = first;
    const key = await app.get(`/key?${query}`, { cookie });
    expect(key.headers["set-cookie"]).toBeUndefined();
    expect(key.headers[name.toLowerCase()]).toBe(sent);
    expect((await app.get(`/count?${query}`, { cookie })).headers[name.toLowerCase()]).toBe(own);
  });
});

describe.each(EXPRESSES)("a key that is shown after the first byte, on %s", (_name, express) => {
  type Key = (session: Express.Request["session"]) => unknown;
  const KEYS: [string, Key][] = [
    ["staticKey", (session) => session.securityKeys.staticKey],
    ["maskedKey", (session) => session.securityKeys.maskedKey()],
    ["create", (session) => session.securityKeys.create()],
  ];

  /** Shows a key in the middle of a response, and answers what came of it. */
  async function shown(key: Key, prepare: (res: Response) => void): Promise<string> {
    const outcome: string[] = [];
    app = await startApp(
      (main) => {
        countingRoutes(main);
        main.get("/page", async (req, res) => {
          req.session.get("views");
          prepare(res);
          if (!res.writableEnded) res.write("<form>");
          await new Promise(setImmediate);
          try {
            outcome.push(typeof (await key(req.session)) === "string" ? "shown" : "no key");
          } catch (error) {
            outcome.push((error as { code: string }).code);
          }
          res.end();
        });
      },
      { express },
    );
    const { cookie } = await app.get("/count");
    await app.get("/page", { cookie });
    return outcome.join();
  }

  it.each(KEYS)("is refused where shared caches may keep the page: %s", async (_method, key) => {
    expect(await shown(key, () => undefined)).toBe("SESSION_HEADERS_SENT");
    await app.close();
    expect(await shown(key, (res) => res.set("Cache-Control", "public, max-age=60"))).toBe("SESSION_HEADERS_SENT");
    await app.close();
    const both = { "Cache-Control": "private", "CDN-Cache-Control": "max-age=60" };
    expect(await shown(key, (res) => res.set(both))).toBe("SESSION_HEADERS_SENT");
    await app.close();
    expect(await shown(key, (res) => res.writeHead(200, { "Cache-Control": "public" }))).toBe("SESSION_HEADERS_SENT");
  });

  it.each(KEYS)("is shown where the app has kept the page out of them: %s", async (_method, key) => {
    expect(await shown(key, (res) => res.set("Cache-Control", "private, max-age=60"))).toBe("shown");
    await app.close();
    expect(await shown(key, (res) => res.writeHead(200, { "cache-control": "no-store" }))).toBe("shown");
    await app.close();
    expect(await shown(key, (res) => res.end())).toBe("shown");
  });

  it.each(KEYS)("is shown where one was shown before: %s", async (_method, key) => {
    const showAnother = (res: Response) => {
      res.locals.key = res.req.session.securityKeys.staticKey;
    };
    expect(await shown(key, showAnother)).toBe("shown");
  });
});
