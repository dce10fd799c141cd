import { once } from "node:events";
import http from "node:http";
import type { Socket } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Express, Request, Response } from "express";
import type { SessionError } from "../../../lib/errors";
import { holdResponse } from "../../../lib/http/hold/hold-response";
import { EXPRESSES, send, startApp } from "../../support/app";
import type { Answer, AppOptions, RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { eventually } from "../../support/eventually";
import { closedGate, signal } from "../../support/gate";
import type { Gate } from "../../support/gate";
import { watchedStore } from "../../support/watched-store";
import { TestGate } from "./hold-response-app";

/** How long the store takes for a write, in milliseconds: long enough that a byte that does not wait for it is seen. */
const SLOW = 40;
const WRITES = ["create", "update", "mutate", "replace", "end"];

let app: RunningApp;
afterEach(() => app.close());

/** An app on a store that is slow to write; `log` tells in which order things happened. */
async function startSlow(build: (app: Express, log: string[]) => void, options: AppOptions = {}): Promise<string[]> {
  const log: string[] = [];
  const { store } = watchedStore((method) => {
    if (!WRITES.includes(method)) return undefined;
    return sleep(SLOW).then(() => void log.push(method));
  });
  app = await startApp(
    (main) => {
      countingRoutes(main);
      build(main, log);
    },
    { store, ...options },
  );
  return log;
}

/** Notes when the client sees the first byte. */
function getNoting(log: string[], path: string, headers: http.OutgoingHttpHeaders = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get(app.url + path, { headers, agent: false }, (res) => {
        log.push(`status ${res.statusCode}`);
        let body = "";
        res.on("data", (piece: Buffer) => (body += piece.toString()));
        res.on("end", () => resolve(body));
        res.on("error", reject);
      })
      .on("error", reject);
  });
}

describe.each(EXPRESSES)("before the first byte, on %s", (_name, express) => {
  it("P1: a redirect waits for what the handler changed, and the page after it sees that", async () => {
    const log = await startSlow(
      (main) => {
        main.get("/change", (req, res) => {
          req.session.views = 41;
          res.redirect("/count");
        });
      },
      { express },
    );
    await getNoting(log, "/change");
    expect(log).toEqual(["create", "status 302"]);
    const { headers, cookie } = await app.get("/change");
    expect((await app.get(headers.location!, { cookie })).body).toBe('{"views":42}');
  });

  it("P1: a login that nobody awaits is stored before the redirect, and its cookie goes with it", async () => {
    const log = await startSlow(
      (main) => {
        main.get("/sign-in", (req, res) => {
          void req.session.login("alice");
          res.redirect("/read");
        });
      },
      { express },
    );
    const { cookie } = await app.get("/count");
    log.length = 0;
    await getNoting(log, "/sign-in", { cookie });
    expect(log).toEqual(["replace", "status 302"]);
    const answer = await app.get("/sign-in");
    expect((await app.get("/read", { cookie: answer.cookie })).body).toContain('"owner":"alice"');
  });

  it.each(["write", "flushHeaders", "pipe"])("P1: a stream's first %s waits too", async (first) => {
    const log = await startSlow(
      (main) => {
        main.get("/stream", (req, res) => {
          req.session.views = 7;
          if (first === "flushHeaders") res.flushHeaders();
          if (first === "write") res.write("piece");
          if (first === "pipe") Readable.from(["piece", "rest"]).pipe(res);
          else setTimeout(() => res.end("rest"), 5);
        });
      },
      { express },
    );
    await getNoting(log, "/stream");
    expect(log).toEqual(["create", "status 200"]);
  });

  it("P1: a HEAD request saves and sets the cookie like a GET", async () => {
    const log = await startSlow(() => undefined, { express });
    const answer = await send("HEAD", `${app.url}/count`);
    expect([answer.status, answer.body, log]).toEqual([200, "", ["create"]]);
    expect((await app.get("/read", { cookie: answer.cookie })).body).toContain('"views":1');
  });

  it("P1: of two responses that an app makes for one request, each waits for its own", async () => {
    let asked = undefined as Gate | undefined;
    const log = await startSlow(
      (main) => {
        main.get("/two", (req, res, next) => {
          req.session.views = 1;
          const draft = Object.setPrototypeOf(
            new http.ServerResponse(req),
            Object.getPrototypeOf(res) as object,
          ) as Response;
          const paper = new PassThrough().once("data", () => log.push("draft is sent"));
          draft.assignSocket(paper as unknown as Socket);
          if (asked !== undefined) {
            const { pass } = asked;
            holdResponse(draft, new TestGate(() => pass().then(() => void log.push("asked"))), next);
          }
          res.send("answer");
          draft.end("draft");
        });
      },
      { express },
    );
    expect(await getNoting(log, "/two")).toBe("answer");
    expect(log).toEqual(["draft is sent", "create", "status 200"]);
    log.length = 0;
    asked = closedGate();
    expect(await getNoting(log, "/two")).toBe("answer");
    asked.open();
    await eventually(() => log.includes("draft is sent"));
    expect(log).toEqual(["create", "status 200", "asked", "draft is sent"]);
  });
});

describe("after the first byte", () => {
  /** A route that sends its first byte, waits until it is gone, and then does something with the session. */
  function late(main: Express, path: string, then: (req: Request, res: Response) => void): void {
    main.get(path, (req, res) => {
      void req.session.get("views");
      res.write("first ");
      setTimeout(() => then(req, res), 10);
    });
  }

  it("P1: a change of a session that is there is stored before the end", async () => {
    const log = await startSlow((main) => {
      late(main, "/late", (req, res) => {
        req.session.views = 99;
        res.end("last");
      });
    });
    const { cookie } = await app.get("/count");
    log.length = 0;
    const body = await getNoting(log, "/late", { cookie });
    log.push("ended");
    expect(body).toBe("first last");
    expect(log).toEqual(["status 200", "update", "ended"]);
    expect((await app.get("/read", { cookie })).body).toContain('"views":99');
  });

  const starts: Record<string, (session: Request["session"]) => unknown> = {
    "an assignment": (session) => (session.views = 1),
    "set(key, value)": (session) => session.set("views", 1),
    "Object.assign": (session) => Object.assign(session, { views: 1 }),
    "merge(values)": (session) => session.merge({ views: 1 }),
    "setDefault(key, value)": (session) => session.setDefault("views", 1),
    "markChanged()": (session) => session.markChanged(),
    "update(key, fn)": (session) => session.update("views", () => 1),
    "login(user)": (session) => session.login("alice"),
    "regenerate()": (session) => session.regenerate(),
    "reset()": (session) => session.reset(),
  };

  it.each(Object.entries(starts))("a new session can't start by %s: SESSION_HEADERS_SENT", async (_what, start) => {
    await startSlow((main) => {
      late(main, "/late", (req, res) => {
        Promise.resolve(req.session)
          .then(start)
          .then(
            () => res.end("started"),
            (error: unknown) => res.end((error as SessionError).code),
          );
      });
    });
    expect((await app.get("/late")).body).toBe("first SESSION_HEADERS_SENT");
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it("throws at the assignment itself, so that the stack shows where", async () => {
    await startSlow((main) => {
      late(main, "/late", (req, res) => {
        try {
          req.session.views = 1;
        } catch (error) {
          res.end((error as Error).stack!.includes("first-byte.test") ? "here" : "elsewhere");
        }
      });
    });
    expect((await app.get("/late")).body).toBe("first here");
  });

  it("a login, which needs a new cookie, is refused also for a session that is there, and that one stays", async () => {
    await startSlow((main) => {
      late(main, "/late", (req, res) => {
        req.session.login("alice").catch((error: unknown) => res.end((error as SessionError).code));
      });
    });
    const { cookie } = await app.get("/count");
    expect((await app.get("/late", { cookie })).body).toBe("first SESSION_HEADERS_SENT");
    expect((await app.get("/read", { cookie })).body).toBe('{"views":1,"owner":"__guest__"}');
  });

  it("a session can still be ended", async () => {
    await startSlow((main) => {
      late(main, "/late", (req, res) => {
        req.session = null;
        res.end("bye");
      });
    });
    const { cookie } = await app.get("/count");
    expect((await app.get("/late", { cookie })).body).toBe("first bye");
    expect((await app.get("/read", { cookie })).body).toContain('"views":0');
  });
});

describe("save() beside the end of the response", () => {
  const orders: Record<string, (req: Request, res: Response) => Promise<void>> = {
    "called before it, and not awaited": async (req, res) => {
      const saved = req.session.save();
      res.send("done");
      await saved;
    },
    "called after it": async (req, res) => {
      res.send("done");
      await req.session.save();
    },
    "called twice around it": async (req, res) => {
      const first = req.session.save();
      res.send("done");
      await Promise.all([first, req.session.save()]);
    },
  };

  it.each(Object.entries(orders))("stores once: %s", async (_order, body) => {
    const outcomes: unknown[] = [];
    const log = await startSlow((main) => {
      main.get("/both", (req, res) => {
        req.session.views = 5;
        body(req, res).then(
          () => outcomes.push("saved"),
          (error: unknown) => outcomes.push(error),
        );
      });
    });
    const answer: Answer = await app.get("/both");
    await eventually(() => outcomes.length > 0);
    expect(outcomes).toEqual(["saved"]);
    expect(log).toEqual(["create"]);
    expect((await app.get("/read", { cookie: answer.cookie })).body).toContain('"views":5');
  });
});

describe("a client that goes away", () => {
  it.each(["before the handler answers", "in the middle of a stream"])("loses no change: %s", async (when) => {
    const [reached, handled] = [signal(), signal()];
    const log = await startSlow((main) => {
      main.get("/gone", (req, res) => {
        if (when.startsWith("in")) res.write("first");
        res.once("close", () => {
          req.session.views = 50;
          res.end("last");
          handled.give();
        });
        reached.give();
      });
    });
    const { cookie } = await app.get("/count");
    log.length = 0;
    const req = http.get(`${app.url}/gone`, { headers: { cookie }, agent: false });
    req.on("error", () => undefined);
    await (when.startsWith("in") ? once(req, "response") : reached.given);
    req.destroy();
    await handled.given;
    await eventually(() => log.length > 0);
    expect(log).toEqual(["update"]);
    expect((await app.get("/read", { cookie })).body).toContain('"views":50');
    expect(app.errors).toEqual([]);
  });
});
