import { inspect } from "node:util";
import type { Express, Request } from "express";
import { sessionIdOf } from "../../lib/record/token";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { captureOutput } from "../support/captured-output";
import type { CapturedOutput } from "../support/captured-output";
import { describeOnEveryStore } from "../support/every-store";
import { eventually } from "../support/eventually";
import { FaultyStore } from "../support/faulty-store";

const VALUES = ["a value nobody may read", "another that stays secret"];
/** Operations, and requests that need them. All begin with a load, so that it comes last. */
const FAILING = [
  ["update", "/set"],
  ["mutate", "/update"],
  ["replace", "/login"],
  ["load", "/set"],
] as const;
const SECRET = "7f1kXq0ZbW3mVt9sLd2uHyRcAeJgNoPi";

function routes(shown: string[]): (app: Express) => void {
  const show = (thing: unknown, options: object = {}) => shown.push(inspect(thing, { depth: 5, ...options }));
  const showRequest = (req: Request) => {
    // Its headers, which are Node's, hold the cookie that the browser has sent; no other place of it does.
    const sent = req.headers.cookie ?? "no cookie";
    shown.push(inspect(req, { depth: 3 }).replaceAll(sent, "the cookie as it was sent"));
    const ours = Object.getOwnPropertySymbols(req).filter((symbol) => symbol.description?.startsWith("coatcheck"));
    expect(ours).not.toEqual([]);
    const { session, sessionID } = req;
    show(
      [
        ours.map((symbol) => Reflect.get(req, symbol) as unknown),
        session,
        sessionID,
        session.meta,
        session.cookie,
        JSON.stringify(session.cookie),
      ],
      { showHidden: true },
    );
  };
  return (app) => {
    app.get("/set", (req, res) => {
      req.session.set("secret", VALUES[0]);
      req.session.set("deep", { map: new Map([["key", VALUES[1]]]) });
      showRequest(req);
      res.json({ id: req.session.id, meta: req.session.meta, sessionID: req.sessionID });
    });
    app.get("/login", async (req, res) => {
      req.session.set("secret", VALUES[0]);
      await req.session.login("alice");
      showRequest(req);
      res.json({ id: req.session.id });
    });
    app.get("/update", async (req, res) => {
      await req.session.update("secret", () => VALUES[1]);
      await req.session.reload();
      showRequest(req);
      res.send("updated");
    });
    app.get("/refused", (req, res) => {
      req.session.set("cart", [VALUES[0], new Error(VALUES[1]), () => VALUES[0]]);
      res.send("never");
    });
    app.get("/too-large", (req, res) => {
      req.session.set("cart", VALUES[0]?.repeat(1000));
      res.send("never");
    });
    app.get("/wrong", async (req, res) => {
      const wrongs: (() => unknown)[] = [
        () => req.session.require("missing"),
        () => req.session.set(`${VALUES[0]}`.repeat(0) + "k".repeat(2000), VALUES[0]),
        () => req.session.update("secret", () => undefined),
        () => req.session.update("secret", () => Promise.resolve(VALUES[0])),
        () => req.session.login({ user: VALUES[0] } as unknown as string),
        () => Object.assign(req.session, { save: VALUES[0] }),
        () => Object.assign(req.session.cookie, { maxAge: VALUES[0] }),
      ];
      for (const wrong of wrongs) {
        try {
          await wrong();
          shown.push("nothing was thrown");
        } catch (error) {
          show(error, { showHidden: true });
        }
      }
      res.send("wrong");
    });
  };
}

describeOnEveryStore("the token", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  let output: CapturedOutput;
  const shown: string[] = [];
  const tokens: string[] = [];
  /** All that the store keeps, before and after the session has ended. */
  let live: Buffer;
  let ended: Buffer;

  // One life of a session, with all that is told and thrown on its way.
  beforeAll(async () => {
    const inner = await every.open();
    store = new FaultyStore(inner);
    output = captureOutput();
    app = await startApp(routes(shown), { store, maxBytes: 10_000, storeTimeout: 2000, secrets: [SECRET] });
    const { sessions } = app;
    sessions.on("created", (event) => shown.push(inspect(event)));
    sessions.on("ended", (event) => shown.push(inspect(event)));
    sessions.on("error", (error) => shown.push(inspect(error, { depth: 8, showHidden: true })));
    let cookie = await visit("/set");
    for (const path of ["/refused", "/too-large", "/wrong", "/update", "/login", "/set", "/update"]) {
      cookie = await visit(path, cookie);
    }
    for (const [operation, path] of FAILING) {
      store.fail(operation, "rejects");
      await visit(path, cookie);
      store.recover();
    }
    await visitHanging(cookie);
    const id = sessionIdOf(tokens.at(-1) ?? "");
    const answers = [await sessions.getSessionInfo(), await sessions.getSession(id), await sessions.getSessionUser(id)];
    shown.push(inspect(answers), inspect(sessions, { depth: 10, showHidden: true }), JSON.stringify(sessions));
    live = await every.bytesOf(inner);
    expect(await sessions.killSessionByUser("alice")).toBe(1);
    shown.push(inspect(await sessions.getSession(id)));
    for (const wrong of [() => sessions.kill(tokens[0] as never), () => sessions.getSession(`${tokens[0]}x`)]) {
      await wrong().catch((error: unknown) => shown.push(inspect(error, { showHidden: true })));
    }
    await visit("/update", cookie);
    ended = await every.bytesOf(inner);
  });

  afterAll(async () => {
    output.stop();
    store.recover();
    await app.close();
  });

  /** Sends a request, and notes the token that it is answered with, and what else it is. */
  async function visit(path: string, cookie = ""): Promise<string> {
    const answer = await app.get(path, { cookie });
    shown.push(answer.body);
    if (answer.cookie === undefined) return cookie;
    tokens.push(decodeURIComponent(answer.cookie).slice("sid=".length).split(".")[0] ?? "");
    return answer.cookie;
  }

  /** All operations hang at the same time, so that one time limit is enough. */
  async function visitHanging(cookie: string): Promise<void> {
    const visits: Promise<string>[] = [];
    for (const [operation, path] of FAILING) {
      const { calls } = store;
      const before = calls[operation];
      store.fail(operation, "hangs");
      visits.push(visit(path, cookie));
      await eventually(() => calls[operation] > before);
    }
    await Promise.all(visits);
    store.recover();
    await store.idle();
  }

  it("is that of two sessions", () => {
    expect(tokens).toHaveLength(2);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
  });

  it("P6: is in nothing that is stored, in no form, before and after the session has ended", () => {
    expect(live.includes(VALUES[1] ?? "")).toBe(true); // The search would find it.
    for (const stored of [live, ended]) for (const token of tokens) expectNoToken(stored, token);
  });

  it("P6: is in no log, error, event or answer, and neither is any value", () => {
    const told = Buffer.from([...shown, output.text()].join("\n"));
    expect(told.includes(sessionIdOf(tokens[0] ?? ""))).toBe(true);
    for (const [operation] of FAILING)
      expect(told.toString()).toMatch(new RegExp(`did not answer .*${operation}.* within`));
    expect(told.includes("SESSION_VALUE")).toBe(true);
    expect(told.includes("nothing was thrown")).toBe(false);
    for (const token of tokens) expectNoToken(told, token);
    for (const value of [...VALUES, SECRET]) expect(told.includes(value)).toBe(false);
    expect(output.text()).toBe("");
  });
});

/** As it is, as its bytes, and as those are usually written. */
function expectNoToken(where: Buffer, token: string): void {
  const bytes = Buffer.from(token, "base64url");
  const forms = [token, bytes, bytes.toString("hex"), bytes.toString("hex").toUpperCase(), bytes.toString("base64")];
  const encoded = Buffer.from(token).toString("base64url").slice(0, 56);
  expect([...forms, Buffer.from(token).toString("hex"), encoded].filter((form) => where.includes(form))).toEqual([]);
}
