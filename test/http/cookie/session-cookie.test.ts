import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { MemoryStore } from "../../../lib/stores/memory-store";
import { MAX_AGE_SECONDS, setCookie } from "../../support/set-cookie";
import { startApp } from "../../support/app";
import type { AppOptions, RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";

const HTTPS = { "x-forwarded-proto": "https" };
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let app: RunningApp;
afterEach(() => app.close());

async function start(options: AppOptions = {}): Promise<void> {
  app = await startApp((express) => {
    express.set("trust proxy", 1);
    countingRoutes(express);
  }, options);
}

describe("the session cookie", () => {
  it("is HttpOnly, SameSite=Lax, for this host alone, and goes with the browser", async () => {
    await start();
    const cookie = setCookie(await app.get("/count"));
    expect(cookie).toMatchObject({ name: "sid", attributes: { Path: "/", HttpOnly: true, SameSite: "Lax" } });
    expect(Object.keys(cookie.attributes).sort()).toEqual(["HttpOnly", "Path", "SameSite"]);
    expect(cookie.value).toMatch(/^[\w-]{43}$/);
  });

  it("P6: holds the token, of which the store and the lists know only the hash", async () => {
    const store = new MemoryStore();
    await start({ store });
    const token = setCookie(await app.get("/count")).value;
    const id = createHash("sha256").update(token).digest("base64url");
    const stored = [];
    for await (const record of store.find({ state: "live" })) stored.push(record);
    for (const known of [stored, await app.sessions.getSessionInfo()]) {
      expect(known).toEqual([expect.objectContaining({ id })]);
      expect(inspect(known, { depth: 9 })).not.toContain(token);
    }
  });

  it("is named after the project where there is one", async () => {
    await start({ project: "tea-house" });
    expect(setCookie(await app.get("/count")).name).toBe("sid-tea-house");
  });

  it("P4: is not set again while the session goes on, also where it is changed", async () => {
    await start();
    const { cookie } = await app.get("/count");
    const second = await app.get("/count", { cookie });
    expect(second.body).toBe('{"views":2}');
    expect(second.headers["set-cookie"]).toBeUndefined();
    expect((await app.get("/read", { cookie })).headers["set-cookie"]).toBeUndefined();
  });

  it("carries the attributes of the options", async () => {
    await start({
      cookie: {
        path: "/shop",
        domain: "example.com",
        sameSite: "none",
        priority: "high",
        partitioned: true,
        secure: true,
      },
    });
    expect(setCookie(await app.get("/count"))).toMatchObject({
      name: "__Secure-sid",
      attributes: {
        ...{ Path: "/shop", Domain: "example.com", SameSite: "None", Priority: "High" },
        ...{ Partitioned: true, Secure: true, HttpOnly: true },
      },
    });
  });

  it("leaves SameSite out where it is undefined", async () => {
    await start({ cookie: { sameSite: undefined } });
    expect(setCookie(await app.get("/count")).attributes).not.toHaveProperty("SameSite");
  });

  it("is taken back by destroy, with the attributes that it was set with", async () => {
    app = await startApp((express) => {
      countingRoutes(express);
      express.get("/destroy", (req, res, next) => {
        req.session.destroy().then(() => res.send("gone"), next);
      });
    });
    const { cookie } = await app.get("/count");
    expect(setCookie(await app.get("/destroy", { cookie }))).toMatchObject({
      name: "sid",
      value: "",
      attributes: { Path: "/", "Max-Age": "0", Expires: "Thu, 01 Jan 1970 00:00:00 GMT" },
    });
    expect((await app.get("/destroy")).headers["set-cookie"]).toBeUndefined();
  });
});

describe("on HTTPS the cookie", () => {
  const prefixes: [string, NonNullable<AppOptions["cookie"]>, string][] = [
    ["__Host- where it is for this host and every path", {}, "__Host-sid"],
    ["__Secure- where it has a path", { path: "/shop" }, "__Secure-sid"],
    ["__Secure- where it has a domain", { domain: "example.com" }, "__Secure-sid"],
    ["the prefix before a name of one's own", { name: "coat" }, "__Host-coat"],
  ];

  it.each(prefixes)("behind a trusted proxy is Secure, and gets %s", async (_what, cookie, name) => {
    await start({ cookie });
    const first = setCookie(await app.get("/count", HTTPS));
    expect(first).toMatchObject({ name, attributes: { Secure: true } });
    const second = await app.get("/count", { ...HTTPS, cookie: `${first.name}=${first.value}` });
    expect(second.body).toBe('{"views":2}');
  });

  it("is Secure and __Host- on a server that speaks TLS itself", async () => {
    await start({ overTls: true });
    const { cookie } = await app.get("/count");
    expect(cookie).toMatch(/^__Host-sid=/);
    expect((await app.get("/count", { cookie })).body).toBe('{"views":2}');
  });

  it("keeps its bare name where cookie.prefix is false, Secure all the same", async () => {
    await start({ cookie: { name: "__session", prefix: false } });
    const first = setCookie(await app.get("/count", HTTPS));
    expect(first).toMatchObject({ name: "__session", attributes: { Secure: true, HttpOnly: true, Path: "/" } });
    const cookie = `${first.name}=${first.value}`;
    expect((await app.get("/count", { ...HTTPS, cookie })).body).toBe('{"views":2}');
    expect((await app.get("/read", { ...HTTPS, cookie: `__Host-${cookie}` })).body).toContain('"views":0');
  });

  it.each([{ domain: "example.com" }, { path: "/shop" }, { secure: true }, { secure: false }] as const)(
    "keeps its bare name also with %j",
    async (cookie) => {
      await start({ cookie: { ...cookie, prefix: false } });
      expect(setCookie(await app.get("/count", HTTPS)).name).toBe("sid");
    },
  );

  it("is not what an untrusted client's X-Forwarded-Proto makes of it", async () => {
    app = await startApp(countingRoutes);
    expect(setCookie(await app.get("/count", HTTPS))).toMatchObject({ name: "sid" });
  });

  it("is Secure also where a proxy hides HTTPS, if the option says so", async () => {
    app = await startApp(countingRoutes, { cookie: { secure: true } });
    expect(setCookie(await app.get("/count"))).toMatchObject({ name: "__Host-sid", attributes: { Secure: true } });
  });
});

describe("a cookie planted from a sibling subdomain or over plain HTTP", () => {
  it("opens nothing on HTTPS, alone or beside ours in either order", async () => {
    await start();
    const plantedApp = await app.get("/count");
    const planted = plantedApp.cookie!;
    expect((await app.get("/read", { cookie: planted })).body).toContain('"views":1');
    const own = (await app.get("/count", HTTPS)).cookie!;
    await app.get("/count", { ...HTTPS, cookie: own });

    expect((await app.get("/read", { ...HTTPS, cookie: planted })).body).toContain('"views":0');
    for (const cookie of [`${planted}; ${own}`, `${own}; ${planted}`]) {
      expect((await app.get("/read", { ...HTTPS, cookie })).body).toContain('"views":2');
    }
  });

  it("opens nothing under the __Host- name on plain HTTP either", async () => {
    await start();
    const own = (await app.get("/count", HTTPS)).cookie!;
    expect((await app.get("/read", { cookie: own })).body).toContain('"views":0');
  });
});

describe("a persistent cookie", () => {
  const now = () => Date.UTC(2030, 0, 1);

  it("lives to the session's absolute limit", async () => {
    await start({ now, cookie: { persistent: true }, absoluteTimeout: 36 * HOUR });
    expect(setCookie(await app.get("/count")).attributes["Max-Age"]).toBe(String(36 * 3600));
  });

  it.each([
    ["Infinity", Infinity],
    ["800 days", 800 * DAY],
  ])("lives 400 days at most, also where the absolute limit is %s", async (_what, absoluteTimeout) => {
    await start({ now, cookie: { persistent: true }, absoluteTimeout });
    expect(setCookie(await app.get("/count")).attributes["Max-Age"]).toBe(String(MAX_AGE_SECONDS));
  });

  it("comes of a login that remembers, for rememberTimeout, and of no other", async () => {
    await start({ now, rememberTimeout: 14 * DAY });
    expect(setCookie(await app.get("/login?remember=yes")).attributes["Max-Age"]).toBe(String(14 * 86_400));
    expect(setCookie(await app.get("/login")).attributes).not.toHaveProperty("Max-Age");
  });

  it("becomes one that goes with the browser when the user signs out", async () => {
    await start({ now });
    const { cookie } = await app.get("/login?remember=yes");
    const after = setCookie(await app.get("/logout", { cookie }));
    expect(after.value).toMatch(/^[\w-]{43}$/);
    expect(after.attributes).not.toHaveProperty("Max-Age");
  });

  it("is shown to the app with what the browser was told", async () => {
    app = await startApp(
      (express) => {
        express.get("/", (req, res) => {
          req.session.views = 1;
          const { maxAge, originalMaxAge, expires } = req.session.cookie;
          res.json({ maxAge, originalMaxAge, expires });
        });
      },
      { now, cookie: { persistent: true }, absoluteTimeout: Infinity },
    );
    expect(JSON.parse((await app.get("/")).body)).toEqual({
      maxAge: 400 * DAY,
      originalMaxAge: 400 * DAY,
      expires: new Date(now() + 400 * DAY).toISOString(),
    });
  });
});
