import type { Response } from "express";
import { startApp } from "../support/app";
import type { Answer, RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";

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
