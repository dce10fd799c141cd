import type { Express } from "express";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { newToken } from "../../lib/record/token";

const SECRET = "a value that nobody may read";
const TOKEN = newToken();
/** What could end a line of a log, or move a terminal's cursor. */
const CONTROL = "a\r\nb\u001b[2J\u202e";
const MEGABYTE = "abc def ".repeat(131_072);

type Attempt = (session: Express.Request["session"]) => unknown;

/** What an app does wrong, most of it with data of a visitor's. */
const ATTEMPTS: Record<string, Attempt> = {
  "a Map's keys": (session) => session.set("a", new Map([[SECRET, () => 1]])).save(),
  "a Map's keys that are Maps": (session) => session.set("a", new Map([[new Map([[SECRET, () => 1]]), 1]])).save(),
  "a long key of an object": (session) => session.set("a", { [MEGABYTE]: () => 1 }).save(),
  "a key of an object with control characters": (session) => session.set("a", { [CONTROL]: () => 1 }).save(),
  "a key with control characters": (session) => session.set(CONTROL, () => 1).save(),
  "a key that is a token": (session) => session.set(TOKEN, { [TOKEN]: () => 1 }).save(),
  "many keys": (session) => {
    let nested: unknown = () => 1;
    for (let depth = 0; depth < 500; depth += 1) nested = { "a key of some length": nested };
    return session.set("a", nested).save();
  },
  "a class with such a name": (session) => {
    const named = Object.defineProperty(class {}, "name", { value: CONTROL + TOKEN });
    return session.set("a", new named()).save();
  },
  "a missing key": (session) => session.require(CONTROL + TOKEN),
  "a key that is too long": (session) => session.set(MEGABYTE, 1),
  "half a character": (session) => session.set(`${TOKEN}\ud800`, 1),
  "an update that returns nothing": (session) => session.update(CONTROL + TOKEN, () => undefined),
  "an unknown option of a login": (session) => session.login("alice", { [CONTROL + TOKEN]: 1 } as object),
  "a missing attribute": (session) => session.attributes.update(TOKEN, 1),
  "an attribute's unknown option": (session) => session.attributes.set("a", 1, { [CONTROL + MEGABYTE]: 1 }),
  "an attribute's life": (session) => session.attributes.set("a", 1, { expiresIn: `${TOKEN}\n` as "1h" }),
  "a one-time key's payload": (session) => session.securityKeys.create({ payload: new Map([[SECRET, () => 1]]) }),
  "a property of the cookie": (session) => Object.assign(session.cookie, { [CONTROL + TOKEN]: 1 }),
};

describe.each(EXPRESSES)("P6: a message, on %s", (_name, express) => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp(
      (main: Express) => {
        for (const [n, attempt] of Object.values(ATTEMPTS).entries()) {
          main.get(`/${n}`, async (req, res, next) => {
            try {
              await attempt(req.session);
              res.end();
            } catch (error) {
              next(error);
            }
          });
        }
      },
      { express },
    );
  });
  afterAll(() => app.close());

  it.each(Object.keys(ATTEMPTS).map((name, n) => [name, n] as const))(
    "is one short line without values and tokens: %s",
    async (_what, n) => {
      const { status, body } = await app.get(`/${n}`);
      expect([500, 404]).toContain(status);
      const { message } = JSON.parse(body) as { message: string };
      expect(message).not.toContain(SECRET);
      expect(message).not.toContain(TOKEN.slice(0, 10));
      expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      expect(message.length).toBeLessThan(450);
    },
  );

  it("names the path where it is short", async () => {
    const { body } = await app.get("/0");
    expect(body).toContain("a.values()[0] is a function");
  });
});

describeOnEveryStore("P6: a token in the place of an id", (every) => {
  it("is in no message", async () => {
    const app = await startApp(
      (main) => {
        main.get("/", async ({ session }, res) => {
          await session.login("alice");
          res.end();
        });
      },
      { store: await every.open() },
    );
    const [, token = ""] = (await app.get("/")).cookie!.split("=");
    expect(token).toHaveLength(43);
    const { sessions } = app;
    const calls = [
      () => sessions.getSession(token),
      () => sessions.getSessionUser(token),
      () => sessions.closeClientlessSession(token),
    ];
    for (const call of calls) {
      const error: Error = await call().then(
        () => new Error("was found"),
        (reason: unknown) => reason as Error,
      );
      expect(error).toMatchObject({ code: "SESSION_NOT_FOUND" });
      expect(error.message).not.toContain(token);
      expect(error.stack).not.toContain(token);
    }
    await app.close();
  });
});
