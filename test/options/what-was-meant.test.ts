import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type express5 from "express";
import expressSession from "express-session";
import { sessionConsole, sessionMiddleware, SessionError, Sessions } from "../../lib";
import { requireSecurityKey } from "../../lib/http/security-key/require-security-key";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { DatastoreStore } from "../../lib/stores/datastore/datastore-store";
import { MemoryStore } from "../../lib/stores/memory-store";
import { EXPRESSES, send } from "../support/app";

/** What is said of options; what is wrong on purpose has no type. */
function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ code: "SESSION_CONFIG", name: "SessionError", status: 500 });
    return (error as SessionError).message;
  }
  throw new Error("These options were taken.");
}

const sessionsWith = (options: unknown) => refusal(() => new Sessions(options as object));

describe("options under the names of other libraries", () => {
  it.each([
    ["resave", true, "a session is stored once something is put into it"],
    ["saveUninitialized", false, "a session is stored once something is put into it"],
    ["rolling", true, "idleTimeout starts over with each request"],
    ["genid", () => "1", "tokens are 32 random bytes"],
    ["name", "connect.sid", 'cookie: { name: "sid" }'],
    ["proxy", true, 'app.set("trust proxy", 1)'],
    ["unset", "destroy", "req.session = null"],
    ["secret", "s3cret", "secrets: [secret]"],
    ["keys", ["s3cret"], "secrets: [secret, …]"],
    ["maxAge", 60_000, "idleTimeout"],
    ["session", { expiresIn: 60 }, "outside session"],
    ["expiresIn", 604_800, 'absoluteTimeout: "7d"'],
    ["updateAge", 86_400, "touchInterval"],
    ["cookieCache", {}, "a session that was ended is over"],
    ["cookiePrefix", "shop", "cookie: { name:"],
    ["useSecureCookies", true, "cookie: { secure: true }"],
    ["crossSubDomainCookies", {}, "cookie: { domain:"],
    ["secondaryStorage", {}, "store: new"],
    ["ttl", 86_400, "idleTimeout"],
    ["prefix", "sess:", 'project: "shop"'],
    ["client", {}, "give it to the store"],
    ["disableTouch", true, "touchInterval"],
  ])("say what to write here: %s", (name, value, instead) => {
    const message = sessionsWith({ [name]: value });
    expect(message).toContain(`There is no option ${name}; `);
    expect(message).toContain(instead);
    expect(message).not.toContain("s3cret");
  });

  it.each([
    ["maxAge", 60_000, "idleTimeout"],
    ["expires", new Date(), "absoluteTimeout"],
    ["httpOnly", true, "always HttpOnly"],
    ["signed", true, "secrets signs the cookie"],
    ["overwrite", true, "leave it out"],
    ["encode", String, "leave it out"],
  ])("of the cookie too: cookie.%s", (name, value, instead) => {
    const message = sessionsWith({ cookie: { [name]: value } });
    expect(message).toContain(`There is no option cookie.${name}; `);
    expect(message).toContain(instead);
  });

  it.each([
    [true, `true in other libraries is "strict"`],
    [false, "false in other libraries is undefined"],
  ])("say what a value is here: cookie.sameSite: %j", (sameSite, instead) => {
    expect(sessionsWith({ cookie: { sameSite } })).toContain(instead);
  });

  it.each([
    ["SqliteStore", SqliteStore, "ttl", "idleTimeout"],
    ["SqliteStore", SqliteStore, "dir", 'path: "./.sessions"'],
    ["SqliteStore", SqliteStore, "prefix", "project"],
    ["DatastoreStore", DatastoreStore, "dataset", "projectId"],
    ["DatastoreStore", DatastoreStore, "expirationMs", "idleTimeout"],
    ["DatastoreStore", DatastoreStore, "keyFilename", "clientOptions: { keyFilename }"],
    ["MemoryStore", MemoryStore, "checkPeriod", "the options are now"],
  ])("of a store too: %s and %s", (of, Store, name, instead) => {
    const message = refusal(() => new Store({ [name]: 5 }));
    expect(message).toContain(`There is no option ${name} of ${of}; `);
    expect(message).toContain(instead);
  });
});

describe("options that were misspelt", () => {
  it.each([
    ["SqliteStore", SqliteStore, "paht", "path"],
    ["DatastoreStore", DatastoreStore, "projctId", "projectId"],
    ["DatastoreStore", DatastoreStore, "namespcae", "namespace"],
    ["MemoryStore", MemoryStore, "nwo", "now"],
  ])("open no other %s: %s", (of, Store, name, meant) => {
    const message = refusal(() => new Store({ [name]: "x" }));
    expect(message).toBe(`There is no option ${name} of ${of}; did you mean ${meant}?`);
  });

  it("of the guard of forms and of the console say what was meant", () => {
    expect(refusal(() => requireSecurityKey({ metods: ["POST"] } as object))).toContain("did you mean methods?");
    expect(refusal(() => requireSecurityKey({ ignoredMethods: ["GET"] } as object))).toContain("methods: [");
    expect(refusal(() => sessionConsole({ titel: "x" } as object))).toContain("did you mean title?");
    expect(refusal(() => sessionConsole({ audit: () => 1 } as object))).toContain("auditTrail");
  });

  it("of a call are refused as well", async () => {
    const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
    const misspelt = { mesage: "Please sign in again." } as object;
    const refused = (name: string) => ({
      code: "SESSION_ARGUMENT",
      message: expect.stringContaining(`did you mean ${name}?`),
    });
    await expect(sessions.killSessionByUser("alice", misspelt)).rejects.toMatchObject(refused("message"));
    await expect(sessions.killAllSessions(misspelt)).rejects.toMatchObject(refused("message"));
    await expect(sessions.getSessionInfo({ usernme: "alice" } as object)).rejects.toMatchObject(refused("username"));
    await expect(sessions.openClientlessSession("alice", { maxage: "1h" } as object)).rejects.toMatchObject(
      refused("maxAge"),
    );
    await sessions.close();
  });
});

it("names everything that is wrong at once", () => {
  const message = sessionsWith({
    ...{ store: {}, idletimeout: "1h", absoluteTimeout: "soon", secrets: ["short"], touchInterval: "2h" },
    cookie: { sameSite: true, domain: "https://shop.example", httpOnly: true },
  });
  expect(message).toMatch(/^8 options can't be used:\n/);
  const lines = message.split("\n").slice(1);
  const names = lines.map((line) => /^- (?:Option|There is no option) ([\w.]+)/.exec(line)?.[1]);
  expect(names.sort()).toEqual([
    ...["absoluteTimeout", "cookie.domain", "cookie.httpOnly", "cookie.sameSite"],
    ...["idletimeout", "secrets", "store", "touchInterval"],
  ]);
});

it("takes no option from Object.prototype", async () => {
  Object.defineProperty(Object.prototype, "idleTimeout", { value: "1ms", configurable: true, writable: true });
  try {
    await new Sessions({ store: new MemoryStore(), clearSchedule: false }).close();
    expect(sessionsWith(JSON.parse('{"__proto__":{"idleTimeout":"1ms"}}'))).toContain("There is no option __proto__");
  } finally {
    Reflect.deleteProperty(Object.prototype, "idleTimeout");
  }
});

describe("something else in place of options", () => {
  it.each([
    ["SqliteStore", () => new SqliteStore("./x" as never), '{ path: "./.sessions" }'],
    ["SqliteStore", () => new SqliteStore(new Map() as never), '{ path: "./.sessions" }'],
    ["DatastoreStore", () => new DatastoreStore("my-project" as never), '{ projectId: "my-project" }'],
    ["MemoryStore", () => new MemoryStore(5 as never), "{ now: () => 0 }"],
    ["requireSecurityKey", () => requireSecurityKey(["POST"] as object), '{ methods: ["POST"] }'],
    ["sessionConsole", () => sessionConsole("Sessions" as never), '{ title: "Who is here" }'],
  ])("is refused by %s", (of, make, instead) => {
    expect(refusal(make)).toBe(`The options of ${of} must be an object, such as ${instead}, or nothing.`);
  });

  it("is refused, be it a store or a promise that was not awaited", () => {
    expect(sessionsWith(new MemoryStore())).toContain('such as { idleTimeout: "1h" }');
    expect(sessionsWith(Promise.resolve({}))).toContain("await it");
  });

  it.each([
    ["a class", SqliteStore, "the class SqliteStore; give an instance of it"],
    ["a function", () => new MemoryStore(), "such as new SqliteStore("],
    ["a promise", Promise.resolve(new MemoryStore()), "await it"],
    ["express-session's own store", new (expressSession as any).MemoryStore(), "it is a store for express-session"],
    ["an address", "redis://default:hunter2@cache:6379", "can't be a string"],
  ])("is refused as a store: %s", (_what, store, instead) => {
    const message = sessionsWith({ store });
    expect(message).toContain(instead);
    expect(message).not.toContain("hunter2");
  });

  it("is not repeated where it is an object of the app's, whatever that holds", () => {
    class Client {
      readonly connectionString = "postgres://app:hunter2@db/shop";
      readonly nested = { password: "hunter2" };
    }
    const wrong: unknown[] = [new Client(), { password: "hunter2" }, ["hunter2"], new Map([["password", "hunter2"]])];
    wrong.push(
      Object.assign(() => 1, { password: "hunter2" }),
      "rediss://:hunter2@cache:6379",
      new Set(["hunter2"]),
    );
    const names = ["store", "cookie", "idleTimeout", "keepOnLogin", "clearSchedule", "secrets", "userOf", "audit"];
    names.push("project", "scope", "storeTimeout", "maxBytes", "now", "maxSessionsPerUser", "client", "anything");
    const cookie = ["name", "path", "domain", "sameSite", "secure", "priority", "partitioned", "persistent", "x"];
    for (const value of wrong) {
      const messages = [
        sessionsWith(Object.fromEntries(names.map((name) => [name, value]))),
        sessionsWith({ cookie: Object.fromEntries(cookie.map((name) => [name, value])) }),
        refusal(() => new SqliteStore({ path: value === "" ? 5 : [value] } as object)),
        refusal(() => new DatastoreStore({ kind: [value], namespace: [value], timeoutMs: value } as object)),
        refusal(() => requireSecurityKey({ methods: value, header: [value], oneTime: value } as object)),
        refusal(() => sessionConsole({ sessions: value, title: [value] } as object)),
      ];
      for (const message of messages) expect(message).not.toContain("hunter2");
    }
  });
});

describe.each(EXPRESSES)("what was mounted without being called, on %s", (_name, express) => {
  it.each([
    ["sessionMiddleware", sessionMiddleware],
    ["requireSecurityKey", requireSecurityKey],
    ["sessionConsole", sessionConsole],
  ])("says so: %s", async (name, uncalled) => {
    const app = express().set("env", "test");
    app.use(uncalled as unknown as express5.Handler);
    app.use((error: any, _req: express5.Request, res: express5.Response, _next: express5.NextFunction) => {
      res.status(error.status).send(error.message);
    });
    const server = createServer(app).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const answer = await send("GET", `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await new Promise((resolve) => server.close(resolve));
    expect([answer.status, answer.body]).toEqual([
      500,
      `${name} was mounted without being called; write app.use(${name}()).`,
    ]);
  });
});

describe("a plain number of under ten seconds", () => {
  const before = process.env.NODE_ENV;
  afterEach(() => {
    process.env.NODE_ENV = before;
    jest.restoreAllMocks();
  });

  const LONG = ["idleTimeout", "absoluteTimeout", "rememberTimeout", "touchInterval", "keepEnded", "leaseTimeout"];

  it.each([...LONG.map((name) => [name, 1_800]), ["storeTimeout", 5], ["killCheckInterval", 10]])(
    "is refused in production, and says how to write what was meant: %s: %j",
    (name, value) => {
      process.env.NODE_ENV = "production";
      const message = sessionsWith({ [name]: value });
      expect(message).toContain(`Option ${name} can't be ${value}`);
      expect(message).toContain(`"${value}s" for seconds, or "${value}ms"`);
    },
  );

  it("gets one warning elsewhere", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    for (let time = 0; time < 2; time += 1) {
      await new Sessions({ store: new MemoryStore(), clearSchedule: false, keepEnded: 5_000 }).close();
    }
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^Option keepEnded is 5000; .*"5000s"/), "CoatcheckWarning"],
    ]);
  });

  it.each([
    { idleTimeout: "9s" },
    { storeTimeout: 500 },
    { killCheckInterval: 100 },
    { keepEnded: 0 },
    { idleTimeout: 10_000 },
  ])("is meant where it is written so, or usual: %j", async (options) => {
    process.env.NODE_ENV = "production";
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    await new Sessions({ store: new MemoryStore(), clearSchedule: false, ...(options as object) }).close();
    expect(warn).not.toHaveBeenCalled();
  });
});
