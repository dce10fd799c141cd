import express5 from "express";
import type { Express } from "express";
import fc from "fast-check";
import request from "supertest";
import { requireSecurityKey } from "../../../lib";
import type { RequireSecurityKeyOptions } from "../../../lib";
import { EXPRESSES, send, startApp } from "../../support/app";
import type { Answer, RunningApp } from "../../support/app";
import { describeOnEveryStore } from "../../support/every-store";
import { watchedStore } from "../../support/watched-store";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JSON_BODY = { "content-type": "application/json" };

/** A page with a form, and where the form is sent; beside them what makes and ends sessions. */
function guarded(...guards: RequireSecurityKeyOptions[]): (app: Express) => void {
  return (app) => {
    app.use(express5.urlencoded({ extended: true, limit: "2mb" }), express5.json({ limit: "2mb" }));
    app.get("/start", (req, res) => {
      req.session.set("tea", "black");
      res.end();
    });
    app.get("/login", async (req, res) => {
      await req.session.login("alice");
      res.end();
    });
    for (const options of guards) app.use(requireSecurityKey(options));
    app.get("/form", async (_req, res) => {
      const keys: Record<string, string> = {};
      for (const [name, make] of Object.entries(res.locals)) if (typeof make === "function") keys[name] = await make();
      res.json(keys);
    });
    app.get("/plain", (_req, res) => res.send("no session was read"));
    app.all("/act", (_req, res) => res.send("done"));
  };
}

async function sessionCookie(app: RunningApp, path = "/start"): Promise<string> {
  return (await app.get(path)).cookie!;
}

async function formKeys(app: RunningApp, cookie: string): Promise<Record<string, string>> {
  return JSON.parse((await app.get("/form", { cookie })).body);
}

function field(key: string, name = "securityKey"): string {
  return new URLSearchParams({ [name]: key }).toString();
}

function codeOf(answer: Answer): string {
  return answer.status === 200 ? "passed" : `${answer.status} ${JSON.parse(answer.body).code}`;
}

const REFUSED = "403 SECURITY_KEY";

describe.each(EXPRESSES)("requireSecurityKey on %s", (_name, express) => {
  let app: RunningApp;
  afterEach(async () => app.close());
  const start = async (...guards: RequireSecurityKeyOptions[]) =>
    (app = await startApp(guarded(...(guards.length > 0 ? guards : [{}])), { express }));

  test("refuses every unsafe method without a key, and lets safe ones pass", async () => {
    await start();
    const cookie = await sessionCookie(app);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "REPORT", "PROPFIND"]) {
      expect([method, codeOf(await send(method, `${app.url}/act`, { cookie }))]).toEqual([method, REFUSED]);
    }
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      expect([method, (await send(method, `${app.url}/act`, { cookie })).status]).toEqual([method, 200]);
    }
  });

  test("takes the static key, plain or masked, in the header, a form or JSON; several tabs and Back work", async () => {
    await start();
    const cookie = await sessionCookie(app);
    const tabs = [(await formKeys(app, cookie)).securityKey!, (await formKeys(app, cookie)).securityKey!];
    expect(tabs[0]).not.toBe(tabs[1]);
    for (const key of [...tabs, tabs[0]!]) {
      expect(codeOf(await app.post("/act", { cookie, "X-Security-Key": key }))).toBe("passed");
      expect(codeOf(await app.post("/act", { cookie, ...FORM }, field(key)))).toBe("passed");
      const body = JSON.stringify({ securityKey: key });
      expect(codeOf(await app.post("/act", { cookie, ...JSON_BODY }, body))).toBe("passed");
    }
  });

  test("P2: keys from before a login are refused after it, all with the same error", async () => {
    await start();
    const before = await sessionCookie(app);
    const { securityKey } = await formKeys(app, before);
    const after = (await app.get("/login", { cookie: before })).cookie!;
    const refusals = [
      await app.post("/act", { cookie: after, ...FORM }, field(securityKey!)),
      await app.post("/act", { cookie: after }),
      await app.post("/act", { cookie: before, "X-Security-Key": securityKey! }),
      await app.post("/act", { "X-Security-Key": securityKey! }),
    ];
    expect(refusals.map(codeOf)).toEqual([REFUSED, REFUSED, REFUSED, REFUSED]);
    expect(new Set(refusals.map(({ body }) => body)).size).toBe(1);
    expect(refusals[0]!.body).not.toContain(securityKey);
  });

  test("with oneTime, a key that a page was given is good for one request, and the static key for none", async () => {
    await start({ oneTime: true });
    const cookie = await sessionCookie(app);
    const { securityKey } = await formKeys(app, cookie);
    expect(codeOf(await app.post("/act", { cookie, ...FORM }, field(securityKey!)))).toBe("passed");
    expect(codeOf(await app.post("/act", { cookie, ...FORM }, field(securityKey!)))).toBe(REFUSED);

    const { securityKey: raced } = await formKeys(app, cookie);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => app.post("/act", { cookie, "X-Security-Key": raced! })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("with oneTime, a key counts whatever its payload is, and the page that shows one is in no shared cache", async () => {
    app = await startApp(
      (on) => {
        guarded({ oneTime: true })(on);
        on.get("/falsy", async (req, res) => res.send(await req.session.securityKeys.create({ payload: 0 })));
      },
      { express },
    );
    const cookie = await sessionCookie(app);
    const page = await app.get("/falsy", { cookie });
    expect(page.headers["cache-control"]).toBe("private, no-cache");
    expect(codeOf(await app.post("/act", { cookie, "X-Security-Key": page.body }))).toBe("passed");
    expect(codeOf(await app.post("/act", { cookie, "X-Security-Key": page.body }))).toBe(REFUSED);
  });

  test("the header counts where the field of the form is no string", async () => {
    await start();
    const cookie = await sessionCookie(app);
    const { securityKey } = await formKeys(app, cookie);
    const headers = { cookie, ...JSON_BODY, "X-Security-Key": securityKey! };
    for (const value of [7, null, ["x"], {}]) {
      expect(codeOf(await app.post("/act", headers, JSON.stringify({ securityKey: value })))).toBe("passed");
    }
    expect(codeOf(await app.post("/act", headers, JSON.stringify({ securityKey: "wrong" })))).toBe(REFUSED);
  });

  test("forms whose parser is slow, or makes a body without a prototype, are read as well", async () => {
    app = await startApp(
      (on) => {
        on.use((req, _res, next) => {
          req
            .on("data", () => undefined)
            .on("end", () => {
              setTimeout(() => {
                req.body = Object.assign(Object.create(null), { securityKey: req.headers["x-late"] });
                next();
              }, 5);
            });
        });
        guarded({})(on);
      },
      { express },
    );
    const cookie = await sessionCookie(app);
    const { securityKey } = await formKeys(app, cookie);
    expect(codeOf(await app.post("/act", { cookie, "X-Late": securityKey! }, "any"))).toBe("passed");
    expect(codeOf(await app.post("/act", { cookie, "X-Late": "wrong" }, "any"))).toBe(REFUSED);
  });

  test("a one-time guard works below the guard of the whole app, with its own field", async () => {
    await start({}, { oneTime: true, field: "orderKey" });
    const cookie = await sessionCookie(app);
    const { securityKey, orderKey } = await formKeys(app, cookie);
    const body = `${field(securityKey!)}&${field(orderKey!, "orderKey")}`;
    expect(codeOf(await app.post("/act", { cookie, ...FORM }, field(securityKey!)))).toBe(REFUSED);
    expect(codeOf(await app.post("/act", { cookie, ...FORM }, field(orderKey!, "orderKey")))).toBe(REFUSED);
    expect(codeOf(await app.post("/act", { cookie, ...FORM }, body))).toBe("passed");
    expect(codeOf(await app.post("/act", { cookie, ...FORM }, body))).toBe(REFUSED);
  });

  test("the app can choose methods, header, field and skip", async () => {
    await start({
      methods: ["POST"],
      header: "X-CSRF-Token",
      field: "csrf",
      skip: (req) => req.headers["x-skip"] === "yes",
    });
    const cookie = await sessionCookie(app);
    const { csrf } = await formKeys(app, cookie);
    const codes = [
      await app.post("/act", { cookie, "X-CSRF-Token": csrf! }),
      await app.post("/act", { cookie, ...FORM }, field(csrf!, "csrf")),
      await app.post("/act", { cookie, "X-Skip": "yes" }),
      await send("DELETE", `${app.url}/act`, { cookie }),
      await app.post("/act", { cookie, "X-Security-Key": csrf! }),
      await app.post("/act", { cookie, ...FORM }, field(csrf!)),
      await app.post("/act", { cookie, "X-Skip": "no" }),
    ].map(codeOf);
    expect(codes).toEqual(["passed", "passed", "passed", "passed", REFUSED, REFUSED, REFUSED]);
  });

  test("a GET that needs a key can't be reached by HEAD without one either", async () => {
    await start({ methods: ["GET", "POST"] });
    const cookie = await sessionCookie(app);
    for (const method of ["GET", "HEAD", "POST"]) {
      expect([method, (await send(method, `${app.url}/act`, { cookie })).status]).toEqual([method, 403]);
    }
    expect((await send("OPTIONS", `${app.url}/act`)).status).toBe(200);
  });

  test("P5: a stranger who reads a page without a form costs nothing, and may not act", async () => {
    const { store, calls } = watchedStore();
    app = await startApp(guarded({}), { express, store });
    const page = await app.get("/plain");
    expect([page.cookie, page.headers.vary, page.headers["cache-control"]]).toEqual([undefined, undefined, undefined]);
    const refused = await app.post("/act", { ...FORM, "X-Security-Key": "A".repeat(43) }, field("A".repeat(86)));
    expect([codeOf(refused), refused.cookie]).toEqual([REFUSED, undefined]);
    expect(calls).toEqual([]);
  });

  test("a stranger who is shown a form gets a session for its key", async () => {
    await start();
    const page = await app.get("/form");
    const { securityKey } = JSON.parse(page.body);
    expect(codeOf(await app.post("/act", { cookie: page.cookie, ...FORM }, field(securityKey)))).toBe("passed");
  });

  test("a page with a key is in no shared cache", async () => {
    await start();
    const cookie = await sessionCookie(app);
    const page = await app.get("/form", { cookie });
    expect([page.headers["cache-control"], page.headers.vary]).toEqual(["private, no-cache", "Cookie"]);
    expect((await app.get("/form")).headers["cache-control"]).toBe("no-store");
    expect((await app.get("/plain", { cookie })).headers["cache-control"]).toBeUndefined();
  });
});

describe("what is sent as a key, and is not one", () => {
  let app: RunningApp;
  let cookie: string;
  let good: string;

  beforeAll(async () => {
    app = await startApp((on) => {
      on.use(express5.urlencoded({ extended: true, limit: "2mb" }), express5.json({ limit: "2mb" }), express5.text());
      on.use("/once", requireSecurityKey({ oneTime: true }));
      on.use("/act", requireSecurityKey());
      on.get("/act", (_req, res) => res.json(res.locals.securityKey()));
      on.post(["/once", "/act"], (_req, res) => res.send("done"));
    });
    const page = await app.get("/act");
    cookie = page.cookie!;
    good = JSON.parse(page.body);
  });
  afterAll(async () => app.close());

  /** Every way is refused in the same words. */
  async function expectRefused(headers: Record<string, string | string[]>, body?: string): Promise<void> {
    for (const path of ["/act", "/once"]) {
      const answer = await app.post(path, { cookie, ...headers }, body);
      expect([path, headers, body?.slice(0, 200), codeOf(answer)]).toEqual([
        path,
        headers,
        body?.slice(0, 200),
        REFUSED,
      ]);
    }
  }

  test("forms", async () => {
    const bodies = [
      "",
      "securityKey",
      "securityKey=",
      `securityKey[]=${good}`,
      `securityKey=${good}&securityKey=${good}`,
      `securityKey[key]=${good}`,
      `SecurityKey=${good}`,
      `__proto__[securityKey]=${good}`,
      `securityKey=${good.slice(1)}`,
      `securityKey=${good}=`,
      `securityKey=%20${good}`,
      `securityKey=${"A".repeat(1_000_000)}`,
      "securityKey=%00%ff",
    ];
    for (const body of bodies) await expectRefused(FORM, body);
  });

  test("JSON", async () => {
    const values: unknown[] = [
      null,
      0,
      true,
      [],
      [good],
      {},
      { length: 86 },
      { toString: "x" },
      "",
      good.toUpperCase(),
      "\u0000",
    ];
    for (const securityKey of values) await expectRefused(JSON_BODY, JSON.stringify({ securityKey }));
    for (const body of ["[]", JSON.stringify([good]), `{"__proto__":{"securityKey":"${good}"}}`]) {
      await expectRefused(JSON_BODY, body);
    }
  });

  test("headers, the address, and bodies that nothing has parsed", async () => {
    await expectRefused({ "X-Security-Key": "" });
    await expectRefused({ "X-Security-Key": [good, good] });
    await expectRefused({ "X-Security-Key": `${good}, ${good}` });
    await expectRefused({ "X-Security-Key": "A".repeat(10_000) });
    await expectRefused({ Authorization: good });
    await expectRefused({ "content-type": "text/plain" }, field(good));
    const part = `--b\r\nContent-Disposition: form-data; name="securityKey"\r\n\r\n${good}\r\n--b--\r\n`;
    await expectRefused({ "content-type": "multipart/form-data; boundary=b" }, part);
    expect(codeOf(await app.post(`/act?securityKey=${good}`, { cookie }))).toBe(REFUSED);
  });

  test("anything else", async () => {
    const anyText = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.base64String(),
      fc.string({ minLength: 43, maxLength: 43 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyText, fc.jsonValue()), async (securityKey) => {
        await expectRefused(JSON_BODY, JSON.stringify({ securityKey }));
      }),
      { numRuns: 50 },
    );
  });

  test("a key with one bit changed", async () => {
    const bytes = Buffer.from(good, "base64url");
    for (let bit = 0; bit < 8 * bytes.length; bit += 7) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await expectRefused({ "X-Security-Key": changed.toString("base64url") });
    }
    expect(codeOf(await app.post("/act", { cookie, "X-Security-Key": good }))).toBe("passed");
  });
});

describe("requireSecurityKey, where it is mounted", () => {
  test.each<[object, string]>([
    [{ method: ["POST"] }, "method"],
    [{ methods: [] }, "methods"],
    [{ methods: ["post"] }, "methods"],
    [{ methods: "POST" }, "methods"],
    [{ header: "X Security" }, "header"],
    [{ header: "" }, "header"],
    [{ field: "__proto__" }, "field"],
    [{ field: 1 }, "field"],
    [{ oneTime: "yes" }, "oneTime"],
    [{ skip: true }, "skip"],
  ])("refuses wrong options, by name: %p", (options, name) => {
    expect(() => requireSecurityKey(options)).toThrow(
      expect.objectContaining({ code: "SESSION_CONFIG", message: expect.stringContaining(name) }),
    );
  });

  test("says so where it is mounted before the sessions", async () => {
    const app = express5().set("env", "test");
    app.use(requireSecurityKey());
    const errors: unknown[] = [];
    app.use((error: unknown, _req: express5.Request, res: express5.Response, _next: express5.NextFunction) => {
      errors.push(error);
      res.end();
    });
    await request(app).get("/");
    expect(errors).toEqual([
      expect.objectContaining({ code: "SESSION_CONFIG", message: expect.stringContaining("after sessionMiddleware") }),
    ]);
  });

  test("skip must return true: a promise does not count", async () => {
    const app = await startApp((on) => {
      on.use(requireSecurityKey({ skip: (async () => true) as never }));
      on.post("/act", (_req, res) => res.send("done"));
    });
    expect(codeOf(await app.post("/act"))).toBe(REFUSED);
    await app.close();
  });

  test("P7: a store that fails gives 503, not a refusal", async () => {
    let isDown = false;
    const { store } = watchedStore((method) =>
      isDown && method === "mutate" ? Promise.reject(new Error("down")) : undefined,
    );
    const app = await startApp(guarded({ oneTime: true }), { store });
    const cookie = await sessionCookie(app);
    const { securityKey } = await formKeys(app, cookie);
    isDown = true;
    expect(codeOf(await app.post("/act", { cookie, "X-Security-Key": securityKey! }))).toBe("503 SESSION_STORE");
    await app.close();
  });

  test("a request whose session was ended by the app itself is refused, and is shown no key", async () => {
    const app = await startApp((on) => {
      on.use((req, _res, next) => {
        req.session = null;
        next();
      });
      guarded({})(on);
    });
    expect(codeOf(await app.post("/act"))).toBe(REFUSED);
    expect(codeOf(await app.get("/form"))).toBe("409 SESSION_ENDED");
    await app.close();
  });
});

describeOnEveryStore("a form with a key", (every) => {
  test("P4: neither rendering nor sending a key writes anything for a visitor who has a session", async () => {
    const { store, calls } = watchedStore(undefined, await every.open());
    const app = await startApp(guarded({}), { store });
    const cookie = await sessionCookie(app);
    calls.length = 0;
    const { securityKey } = await formKeys(app, cookie);
    expect(codeOf(await app.post("/act", { cookie, ...FORM }, field(securityKey!)))).toBe("passed");
    expect(calls).toEqual(["load", "load"]);
    await app.close();
  });
});
