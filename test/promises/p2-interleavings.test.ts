import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Express, Request } from "express";
import type { RequestSession } from "../../lib/session/session";
import { GUEST_USER } from "../../lib/record/session-record";
import type { SessionRecord } from "../../lib/record/session-record";
import type { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { AuditedStore } from "../support/audited-store";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import { idOf } from "../support/session-life";
import { randomFrom } from "../support/random";
import type { Random } from "../support/random";
import { howMany } from "../support/how-many";

/** How many requests and kills run at the same time in one round. */
const PARALLEL = 6;
const BROWSERS = 3;
const USERS = ["alice", "bob"] as const;
const ROUNDS = {
  MemoryStore: howMany(200, 1000),
  SqliteStore: howMany(200, 1000),
  DatastoreStore: howMany(20, 100),
  PostgresStore: howMany(60, 400),
  RedisStore: howMany(100, 500),
};

/** The seed of this run; give the one of a failed run to see it again. */
const SEED = Number(process.env.P2_SEED ?? Date.now() % 1_000_000);

/** What a handler does with the session, by its path. */
const REQUESTS: Readonly<Record<string, (req: Request, user: string) => unknown>> = {
  read: (req) => req.session.items(),
  set: (req, user) => req.session.set("last", user),
  deep: (req) => req.session.setDefault("list", []) && (req.session.get("list") as unknown[]).push(1),
  save: async (req, user) => {
    await req.session.set("saved", user).save();
    req.session.set("after", 1);
  },
  update: (req) => req.session.update("n", (n: unknown) => Number(n ?? 0) + 1),
  touch: (req) => req.session.touch(),
  mark: (req) => req.session.markChanged(),
  reload: (req) => req.session.reload(),
  login: (req, user) => req.session.login(user),
  logout: (req) => req.session.logout(),
  reset: (req) => req.session.reset(),
  destroy: (req) => req.session.destroy(),
  null: (req) => ((req as { session: unknown }).session = null),
  // As passport does it, and what a passport user changes without a new session.
  passport: async (req, user) => {
    await req.session.regenerate();
    await req.session.set("passport", { user }).save();
  },
  become: (req, user) => req.session.set("passport", { user }),
  // As code does it that changes the token now and then.
  rotate: async (req) => {
    const data = Object.fromEntries(req.session.items());
    await req.session.regenerate();
    await req.session.merge(data).save();
  },
};
const userOf = (session: RequestSession) => (session.get("passport") as { user?: string } | undefined)?.user;
const KILLS = ["kill", "killUser", "killUser", "killOthers", "killAll"];

function routes(pause: () => Promise<unknown>, store: AuditedStore, sessions: () => Sessions): (app: Express) => void {
  return (app) => {
    app.post("/others", async (req, res) => {
      const { session } = req;
      const { id, owner } = session;
      if (owner !== GUEST_USER) await store.kill("killOthers", owner, () => sessions().killOthers(session), id);
      res.end();
    });
    app.post("/:what/:user", async (req, res) => {
      await pause();
      await REQUESTS[req.params.what]?.(req, req.params.user);
      await pause();
      res.end();
    });
  };
}

/** A browser: it sends what it was last given, or now and then what it had before. */
class Browser {
  #cookie = "";
  #older = "";

  cookie(random: Random): string {
    return random.next() < 0.1 ? this.#older : this.#cookie;
  }

  get id(): string | undefined {
    return this.#cookie === "" ? undefined : idOf(this.#cookie);
  }

  keep(cookie: string | undefined): void {
    if (cookie === undefined) return;
    this.#older = this.#cookie;
    this.#cookie = cookie.endsWith("=") ? "" : cookie;
  }
}

describeOnEveryStore("any interleaving", (every) => {
  const random = randomFrom(SEED);
  let store: AuditedStore;
  let app: RunningApp;

  beforeAll(async () => {
    store = new AuditedStore(await every.open());
    const slow = new FaultyStore(store);
    const pause = () => {
      const at = random.next();
      return at < 0.4 ? Promise.resolve() : at < 0.7 ? nextTurn() : sleep(at * 4);
    };
    slow.pause = pause;
    const options = { store: slow, touchInterval: "1ms", keepOnLogin: ["list"], storeTimeout: "30s", userOf } as const;
    app = await startApp(
      routes(pause, store, () => app.sessions),
      options,
    );
    app.sessions.on("ended", ({ id, reason }) => store.bury(id, `told to be over: ${reason}`));
  });

  afterAll(() => app.close());

  async function request(browser: Browser, path: string): Promise<string | undefined> {
    const answer = await app.post(path, { cookie: browser.cookie(random) });
    browser.keep(answer.cookie);
    if (answer.status === 200 || (answer.status === 409 && answer.cookie === undefined)) return undefined;
    return `${path} answered ${answer.status} ${answer.cookie ?? "without a cookie"}: ${answer.body}`;
  }

  async function kill(what: string, browser: Browser, user: string): Promise<string | undefined> {
    const { sessions } = app;
    if (what === "killOthers") return request(browser, "/others");
    if (what === "killUser") await store.kill(`a kill of ${user}`, user, () => sessions.killSessionByUser(user));
    if (what === "killAll") await store.kill("a kill of all", undefined, () => sessions.killAllSessions());
    const { id } = browser;
    if (what === "kill" && id !== undefined) {
      await sessions.kill(id);
      store.bury(id, "killed");
    }
    return undefined;
  }

  it(`P2: brings no session back, and no kill is survived (seed ${SEED})`, async () => {
    const browsers = Array.from({ length: BROWSERS }, () => new Browser());
    for (let round = 0; round < ROUNDS[every.name]; round += 1) {
      const actions = Array.from({ length: PARALLEL }, () => ({
        what: random.next() < 0.25 ? random.pick(KILLS) : random.pick(Object.keys(REQUESTS)),
        browser: random.pick(browsers),
        user: random.pick(USERS),
      }));
      const wrong = await Promise.all(
        actions.map(({ what, browser, user }) =>
          KILLS.includes(what) ? kill(what, browser, user) : request(browser, `/${what}/${user}`),
        ),
      );
      await store.check();
      const problems = [...wrong.filter((problem) => problem !== undefined), ...store.violations];
      const told = actions.map(({ what, browser, user }) => `${browsers.indexOf(browser)} ${what} ${user}`);
      expect({ seed: SEED, round, told, problems }).toEqual({ seed: SEED, round, told, problems: [] });
    }
    expect(app.errors).toEqual([]);
  }, 300_000);
});

describe("the audit itself", () => {
  const record = (id: string, owner: string) => ({ id, owner, expiresAt: Infinity, counters: {} }) as SessionRecord;
  const ending = { endedAt: 1, reason: "reset", endedBy: null, purgeAt: 2 } as const;

  it("notices a session that comes back", async () => {
    const inner = new MemoryStore();
    const store = new AuditedStore(inner);
    await store.create(record("a", "alice"));
    await store.end("a", ending);
    await inner.create(record("a", "alice"));
    await store.load("a");
    await store.check();
    expect(store.violations).toEqual([
      "a was loaded, after it was ended: reset",
      "a is found live, after it was ended: reset",
    ]);
  });

  it("notices a session that survives a kill as its own successor, and takes one that came later for none", async () => {
    const store = new AuditedStore(new MemoryStore());
    await store.create(record("a", "alice"));
    await store.kill("a lazy kill", "alice", async () => {
      await store.create(record("later", "alice"));
      await store.replace("a", ending, record("b", "alice"));
    });
    expect(store.violations).toEqual(["b survived a lazy kill"]);
  });
});
