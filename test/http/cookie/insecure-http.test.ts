import { EXPRESSES, startApp } from "../../support/app";
import type { AppOptions, RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { setCookie } from "../../support/set-cookie";
import { watchedStore } from "../../support/watched-store";
import type { WatchedStore } from "../../support/watched-store";

const HTTPS = { "x-forwarded-proto": "https" };

let app: RunningApp;
let watched: WatchedStore;
let warnings: string[];

beforeEach(() => {
  warnings = [];
  jest.spyOn(process, "emitWarning").mockImplementation((warning) => void warnings.push(String(warning)));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await app.close();
});

/** Starts an app as production does: what it learns of its environment it learns at the start. */
async function start(options: AppOptions = {}, trustProxy = false): Promise<void> {
  watched = watchedStore();
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    app = await startApp(
      (express) => {
        if (trustProxy) express.set("trust proxy", 1);
        countingRoutes(express);
      },
      { store: watched.store, ...options },
    );
  } finally {
    process.env.NODE_ENV = before;
  }
}

describe("in production on plain HTTP", () => {
  it("no session is created, and one warning for all requests names trust proxy", async () => {
    await start();
    for (let n = 0; n < 3; n += 1) {
      const answer = await app.get("/count");
      expect([answer.status, answer.body]).toEqual([200, '{"views":1}']);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
    expect(watched.calls).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("app.set('trust proxy', 1)")]);
  });

  it("nothing is said where no session is wanted", async () => {
    await start();
    await app.get("/read");
    await app.get("/plain");
    expect(warnings).toEqual([]);
  });

  it.each(["/login", "/reset", "/regenerate"])(
    "%s is refused with SESSION_INSECURE, which names the fix",
    async (path) => {
      await start();
      const answer = await app.get(path);
      expect(answer.status).toBe(500);
      expect(JSON.parse(answer.body)).toEqual({
        code: "SESSION_INSECURE",
        message: expect.stringContaining("trust proxy"),
      });
      expect(answer.headers["set-cookie"]).toBeUndefined();
      expect(watched.calls).toEqual([]);
    },
  );

  it("a cookie opens nothing, under either name", async () => {
    await start({}, true);
    const { cookie } = await app.get("/count", HTTPS);
    watched.calls.length = 0;
    const bare = cookie!.replace("__Host-", "");
    for (const sent of [cookie, bare]) {
      expect((await app.get("/read", { cookie: sent })).body).toContain('"views":0');
    }
    expect(watched.calls).toEqual([]);
    expect((await app.get("/read", { ...HTTPS, cookie })).body).toContain('"views":1');
  });

  it("a session works all the same where cookie.secure is false", async () => {
    await start({ cookie: { secure: false } });
    const { cookie } = await app.get("/login");
    expect(cookie).toMatch(/^sid=/);
    expect((await app.get("/read", { cookie })).body).toContain('"owner":"alice"');
    expect(warnings).toEqual([]);
  });

  it.each(EXPRESSES)("cookie.secure: true starts no session either, on %s", async (_name, express) => {
    await start({ express, cookie: { secure: true } });
    for (const headers of [{}, { cookie: `__Host-sid=${"x".repeat(42)}A` }]) {
      const answer = await app.get("/count", headers);
      expect([answer.status, answer.body]).toEqual([200, '{"views":1}']);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
    const login = await app.get("/login");
    expect(JSON.parse(login.body)).toMatchObject({ code: "SESSION_INSECURE" });
    expect(login.headers["set-cookie"]).toBeUndefined();
    expect(watched.calls).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("app.set('trust proxy', 1)")]);
  });

  it("a cookie of HTTPS opens nothing with cookie.secure: true", async () => {
    await start({ cookie: { secure: true } }, true);
    const { cookie } = await app.get("/login", HTTPS);
    expect(cookie).toMatch(/^__Host-sid=/);
    expect((await app.get("/read", { ...HTTPS, cookie })).body).toContain('"owner":"alice"');
    watched.calls.length = 0;
    expect((await app.get("/read", { cookie })).body).toContain('"owner":"__guest__"');
    expect(watched.calls).toEqual([]);
  });

  it.each([{ sameSite: "none" }, { partitioned: true }] as const)("%j starts no session", async (cookie) => {
    await start({ cookie });
    expect((await app.get("/count")).headers["set-cookie"]).toBeUndefined();
    expect((await app.get("/login")).status).toBe(500);
    expect(watched.calls).toEqual([]);
  });
});

describe("in production on HTTPS", () => {
  it("sessions start and go on, and nothing is warned of", async () => {
    await start({}, true);
    const { cookie } = await app.get("/login", HTTPS);
    expect((await app.get("/read", { ...HTTPS, cookie })).body).toContain('"owner":"alice"');
    expect(warnings).toEqual([]);
  });
});

describe.each([{ sameSite: "none" }, { partitioned: true }, { secure: true }] as const)(
  "in development on plain HTTP, with %j",
  (cookie) => {
    beforeEach(async () => {
      watched = watchedStore();
      app = await startApp(countingRoutes, { store: watched.store, cookie });
    });

    it.each(["localhost:3000", "LOCALHOST", "app.localhost:80", "127.0.0.1:3000", "[::1]:3000"])(
      "the cookie is Secure, as browsers want it, on %s",
      async (host) => {
        const answer = await app.get("/count", { host });
        expect(setCookie(answer).attributes).toHaveProperty("Secure", true);
        expect((await app.get("/count", { host, cookie: answer.cookie })).body).toBe('{"views":2}');
        expect(warnings).toEqual([]);
      },
    );

    it.each(["192.168.1.5:3000", "shop.test", "localhost.example.com", "127.0.0.1.example.com"])(
      "one warning tells that browsers don't keep it on %s",
      async (host) => {
        await app.get("/read", { host });
        expect(warnings).toEqual([]);
        for (let n = 0; n < 3; n += 1) await app.get("/count", { host });
        expect(warnings).toEqual([expect.stringMatching(/localhost only\. .*HTTPS.*trust proxy/)]);
      },
    );
  },
);
