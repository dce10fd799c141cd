import { inspect } from "node:util";
import type { Express, Request } from "express";
import { sessionIdOf } from "../../lib/record/token";
import type { SessionStore } from "../../lib/stores/store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { captureOutput } from "../support/captured-output";
import type { CapturedOutput } from "../support/captured-output";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";

const VALUES = ["a value nobody may read", "another that stays secret"];
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
  let inner: SessionStore;
  let store: FaultyStore;
  let app: RunningApp;
  let shown: string[];
  let tokens: string[];
  let output: CapturedOutput;

  beforeEach(async () => {
    inner = await every.open();
    store = new FaultyStore(inner);
    app = await startApp(routes((shown = [])), { store, maxBytes: 10_000, storeTimeout: 2000, secrets: [SECRET] });
    app.sessions.on("created", (event) => shown.push(inspect(event)));
    app.sessions.on("ended", (event) => shown.push(inspect(event)));
    app.sessions.on("error", (error) => shown.push(inspect(error, { depth: 8, showHidden: true })));
    tokens = [];
    output = captureOutput();
  });

  afterEach(async () => {
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

  /** A life of a session, with all that is told and thrown on its way. */
  async function live(beforeEnd: () => Promise<void> = async () => undefined): Promise<void> {
    let cookie = await visit("/set");
    for (const path of ["/refused", "/too-large", "/wrong", "/update", "/login", "/set", "/update"]) {
      cookie = await visit(path, cookie);
    }
    for (const [operation, path] of [
      ["load", "/set"],
      ["update", "/set"],
      ["mutate", "/update"],
      ["replace", "/login"],
    ] as const) {
      for (const fault of ["rejects", "hangs"] as const) {
        store.fail(operation, fault);
        await visit(path, cookie);
        store.recover();
        await store.idle();
      }
    }
    const { sessions } = app;
    const id = sessionIdOf(tokens.at(-1) ?? "");
    const answers = [await sessions.getSessionInfo(), await sessions.getSession(id), await sessions.getSessionUser(id)];
    shown.push(inspect(answers), inspect(sessions, { depth: 10, showHidden: true }), JSON.stringify(sessions));
    await beforeEnd();
    expect(await sessions.killSessionByUser("alice")).toBe(1);
    shown.push(inspect(await sessions.getSession(id)));
    for (const wrong of [() => sessions.kill(tokens[0] as never), () => sessions.getSession(`${tokens[0]}x`)]) {
      await wrong().catch((error: unknown) => shown.push(inspect(error, { showHidden: true })));
    }
    await visit("/update", cookie);
    expect(tokens).toHaveLength(2);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
  }

  it("P6: is in nothing that is stored, in no form, before and after the session has ended", async () => {
    await live(async () => {
      const whole = await every.bytesOf(inner);
      expect(whole.includes(VALUES[1] ?? "")).toBe(true); // The search would find it.
      for (const token of tokens) expectNoToken(whole, token);
    });
    const ended = await every.bytesOf(inner);
    for (const token of tokens) expectNoToken(ended, token);
  });

  it("P6: is in no log, error, event or answer, and neither is any value", async () => {
    await live();
    const told = Buffer.from([...shown, output.text()].join("\n"));
    expect(told.includes(sessionIdOf(tokens[0] ?? ""))).toBe(true);
    expect(told.includes("SESSION_STORE_TIMEOUT") && told.includes("SESSION_VALUE")).toBe(true);
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
