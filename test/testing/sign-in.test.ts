import { createServer as createTlsServer } from "node:https";
import type { Express, NextFunction, Request, Response } from "express";
import request from "supertest";
import { sessionMiddleware } from "coatcheck";
import type { Sessions, SessionOptions } from "coatcheck";
import { MemoryStore, signIn, signInCookie } from "coatcheck/testing";
import { EXPRESSES } from "../support/app";
import { selfSignedCertificate } from "../support/self-signed-certificate";

const secrets = ["a secret of the tests, which has more than 32 bytes"];
let open: Sessions[];

beforeEach(() => (open = []));
afterEach(async () => {
  for (const sessions of open) await sessions.close();
});

function newApp(express: (typeof EXPRESSES)[number][1], options: SessionOptions = {}): Express {
  const middleware = sessionMiddleware({ store: new MemoryStore(), clearSchedule: false, ...options });
  open.push(middleware.sessions);
  const app = express();
  app.use(middleware);
  app.get("/", (req, res) => {
    const { owner, isNew, meta } = req.session;
    res.json({ owner, isNew, data: Object.fromEntries(req.session.items()), expiresAt: meta.expiresAt });
  });
  app.use((error: { status: number; code: string }, _req: Request, res: Response, _next: NextFunction) => {
    res.status(error.status).json({ code: error.code });
  });
  return app;
}

describe.each(EXPRESSES)("signIn on %s", (_name, express) => {
  it("signs an agent in, by one line, with data if wanted", async () => {
    const app = newApp(express);
    const alice = await signIn(request.agent(app), "alice", { data: { cart: ["tea"], since: new Date(0) } });
    const { body } = await alice.get("/").expect(200);
    expect(body).toMatchObject({ owner: "alice", isNew: false, data: { cart: ["tea"] } });
    expect((await request(app).get("/")).body).toMatchObject({ owner: "__guest__", data: {} });
  });

  it.each([
    ["signed cookies", { secrets }],
    ["a name of its own", { cookie: { name: "visit" } }],
    ["the domain that the app has in production", { cookie: { domain: "shop.example" } }],
    ["a project", { project: "shop" }],
  ])("works with %s", async (_what, options) => {
    const alice = await signIn(request.agent(newApp(express, options)), "alice");
    expect((await alice.get("/")).body.owner).toBe("alice");
  });

  it("signs in anew, each agent by itself", async () => {
    const app = newApp(express);
    const [sessions] = open;
    const agent = await signIn(request.agent(app), "alice");
    const other = await signIn(request.agent(app), "alice");
    await signIn(agent, "bob");
    expect((await agent.get("/")).body.owner).toBe("bob");
    expect((await other.get("/")).body.owner).toBe("alice");
    expect(await sessions!.killSessionByUser("alice")).toBe(2);
    expect((await other.get("/")).body.owner).toBe("__guest__");
  });

  it("works over HTTPS, where the cookie has a prefix", async () => {
    const server = createTlsServer(selfSignedCertificate(), newApp(express));
    const agent = request.agent(server, { rejectUnauthorized: false });
    await signIn(agent, "alice");
    expect((await agent.get("/")).body.owner).toBe("alice");
    server.close();
  });

  it("gives passport its user", async () => {
    const app = newApp(express);
    const alice = await signIn(request.agent(app), "alice", { data: { passport: { user: "alice" } } });
    expect((await alice.get("/")).body).toMatchObject({ owner: "alice", data: { passport: { user: "alice" } } });
  });
});

describe("signIn", () => {
  const [, [, express]] = EXPRESSES as [unknown, (typeof EXPRESSES)[number]];

  it("asks whose sessions are meant where there are two middlewares", async () => {
    const first = newApp(express);
    newApp(express);
    const agent = request.agent(first);
    await expect(signIn(agent, "alice")).rejects.toMatchObject({ code: "SESSION_DEFAULT_AMBIGUOUS" });
    await signIn(agent, "alice", { sessions: open[0]! });
    expect((await agent.get("/")).body.owner).toBe("alice");
  });

  it("refuses in production, and starts no session", async () => {
    const app = newApp(express);
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = "production";
    try {
      const signingIn = signIn(request.agent(app), "alice");
      await expect(signingIn).rejects.toMatchObject({ code: "SESSION_CONFIG" });
    } finally {
      process.env.NODE_ENV = before;
    }
    expect(await open[0]!.getSessionInfo()).toEqual([]);
  });

  it.each([
    ["a user that is none", {} as never, {}, "SESSION_ARGUMENT"],
    ["an empty user", "", {}, "SESSION_ARGUMENT"],
    ["data that can't be stored", "alice", { data: { cart: { add: () => 1 } } }, "SESSION_VALUE"],
  ])("rejects %s, and leaves the agent as it is", async (_what, user, options, code) => {
    const agent = request.agent(newApp(express));
    await expect(signIn(agent, user, options)).rejects.toMatchObject({ code });
    expect((await agent.get("/")).body.owner).toBe("__guest__");
  });

  it("rejects with the store's failure", async () => {
    const agent = request.agent(newApp(express));
    await open[0]!.close();
    await expect(signIn(agent, "alice", { sessions: open[0]! })).rejects.toMatchObject({ code: "SESSION_CLOSED" });
  });
});

describe("signInCookie", () => {
  const [, [, express]] = EXPRESSES as [unknown, (typeof EXPRESSES)[number]];
  const session = { value: expect.stringMatching(/^[\w-]{43}$/) as string, httpOnly: true };

  it("is what a browser has to be given", async () => {
    const app = newApp(express);
    const url = "http://localhost:3000/shop";
    const cookie = await signInCookie(url, "alice");
    expect(cookie).toEqual({ ...session, name: "sid", url, secure: false, sameSite: "Lax" });
    const { body } = await request(app).get("/").set("Cookie", `sid=${cookie.value}`);
    expect(body.owner).toBe("alice");
  });

  it("is Secure and has its prefix over HTTPS, and expires where it is persistent", async () => {
    newApp(express, { cookie: { sameSite: "strict" } });
    const earliest = Math.floor(Date.now() / 1000) + 30 * 24 * 60 * 60;
    const { expires, ...cookie } = await signInCookie("https://shop.example/", "alice", { remember: true });
    const url = "https://shop.example/";
    expect(cookie).toEqual({ ...session, name: "__Host-sid", url, secure: true, sameSite: "Strict" });
    expect(expires).toBeGreaterThanOrEqual(earliest - 1);
  });

  it("refuses an address that is none", async () => {
    newApp(express);
    await expect(signInCookie("/shop", "alice")).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
  });
});
