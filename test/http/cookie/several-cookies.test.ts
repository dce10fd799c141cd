import { randomBytes } from "node:crypto";
import { SessionError } from "../../../lib/errors";
import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { MemoryStore } from "../../../lib/stores/memory-store";
import type { SessionStore } from "../../../lib/stores/store";
import { EXPRESSES, startApp } from "../../support/app";
import type { AppOptions, RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { describeOnEveryStore } from "../../support/every-store";
import { FaultyStore } from "../../support/faulty-store";
import { GrpcProxy } from "../../support/grpc-proxy";
import { idOf } from "../../support/session-life";
import { watchedStore } from "../../support/watched-store";

const [OLD_SECRET, SECRET] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];

let app: RunningApp;
let running: RunningApp[];
beforeEach(() => void (running = []));
afterEach(() => Promise.all(running.map((each) => each.close())));

async function start(options: AppOptions): Promise<void> {
  app = await startApp((express, sessions) => {
    countingRoutes(express);
    express.get("/why", async (req, res) => res.json((await sessions.endedNotice(req)) ?? null));
  }, options);
  running.push(app);
}

async function visitor(path = "/count"): Promise<string> {
  return (await app.get(path)).cookie ?? "";
}

/** A cookie whose session was live and is over. */
async function dead(): Promise<string> {
  const cookie = await visitor();
  await app.sessions.kill(idOf(cookie));
  return cookie;
}

async function seen(...cookies: string[]): Promise<unknown> {
  const answer = await app.get("/read", { cookie: cookies.join("; ") });
  return answer.status === 200 ? JSON.parse(answer.body) : answer.status;
}

const unknown = () => `sid=${randomBytes(32).toString("base64url")}`;

describeOnEveryStore("several cookies of our name", (every) => {
  describe.each(EXPRESSES)("on %s", (_name, express) => {
    let store: SessionStore;
    beforeEach(async () => start({ express, store: (store = await every.open()) }));

    it("are tried in order until one opens a session", async () => {
      const [old, own] = [await dead(), await visitor("/login")];
      for (const cookies of [
        [old, own],
        [own, old],
        [unknown(), old, unknown(), own],
      ]) {
        expect(await seen(...cookies)).toEqual({ views: 0, owner: "alice" });
      }
    });

    it("let a user in whose browser sends an old one first", async () => {
      const old = await dead();
      const { cookie } = await app.get("/login", { cookie: old });
      expect(await seen(old, cookie!)).toMatchObject({ owner: "alice" });
      expect((await app.get("/count", { cookie: `${old}; ${cookie!}` })).body).toBe('{"views":1}');
      expect(await seen(cookie!)).toEqual({ views: 1, owner: "alice" });
    });

    it("are four at most, and one that comes twice counts once", async () => {
      const own = await visitor();
      const others = [unknown(), unknown(), unknown()];
      const [first = ""] = others;
      expect(await seen(...others, own)).toMatchObject({ views: 1 });
      expect(await seen(first, first, first, first, own)).toMatchObject({ views: 1 });
      expect(await seen(...others, unknown(), own)).toMatchObject({ views: 0 });
    });

    it("P2: start no session where one of them was replaced a moment ago", async () => {
      const own = await visitor("/login");
      await app.get("/logout", { cookie: own });
      const answer = await app.post("/count", { cookie: `${unknown()}; ${own}` });
      expect([answer.status, answer.headers["set-cookie"]]).toEqual([409, undefined]);
    });

    it("tell by endedNotice of the one of which something is known", async () => {
      const old = await dead();
      const why = async (cookie: string) => JSON.parse((await app.get("/why", { cookie })).body) as unknown;
      expect(await why(`${unknown()}; ${old}`)).toMatchObject({ reason: "killed" });
      expect(await why(`${old}; ${await visitor()}`)).toBeNull();
    });

    if (every.writeNewerFormat !== undefined) {
      it("pass over one that can't be read, which is told where no other opens a session", async () => {
        const [newer, own] = [await visitor(), await visitor()];
        await every.writeNewerFormat?.(store, idOf(newer));
        expect(await seen(newer, own)).toMatchObject({ views: 1 });
        expect(await seen(newer, unknown())).toBe(500);
      });
    }
  });
});

describe("the loads of several cookies", () => {
  it("are asked for in one turn, before any is answered", async () => {
    const store = new FaultyStore(new MemoryStore());
    await start({ store });
    const cookies = [unknown(), await visitor(), unknown()];
    const asked: number[] = [];
    store.resetCalls();
    store.pause = (operation, moment) => {
      if (operation === "load" && moment === "after") asked.push(store.calls.load);
      return undefined;
    };
    expect(await seen(...cookies)).toMatchObject({ views: 1 });
    expect(asked).toEqual([3, 3, 3]);
  });

  it("stop at the first that opens a session where the store has its answers ready", async () => {
    const { store, calls } = watchedStore();
    await start({ store });
    const own = await visitor();
    calls.length = 0;
    expect(await seen(unknown(), own, unknown(), unknown())).toMatchObject({ views: 1 });
    expect(calls).toEqual(["load", "load"]);
  });

  it("P7: fail the request where one fails that might have come first, and else don't matter", async () => {
    let failing = "";
    const inner = new MemoryStore();
    const store = new Proxy(inner, {
      get(target, name) {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        if (name !== "load") return method.bind(target);
        return async (id: string) => {
          if (id === failing) throw new Error("disk");
          return target.load(id);
        };
      },
    });
    await start({ store });
    const [first, second] = [await visitor(), await visitor()];
    failing = idOf(first);
    expect(await seen(first, second)).toBe(503);
    expect(await seen(second, first)).toMatchObject({ views: 1 });
    expect(app.errors).toEqual([]);
  });

  it("throw what a store throws that has its answers ready", async () => {
    const inner = new MemoryStore();
    let failing = "";
    const store = new Proxy(inner, {
      get(target, name) {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
        if (name !== "load") return method.bind(target);
        return (id: string) => {
          if (id === failing) throw new SessionError("SESSION_STORE", "It is down.");
          return target.load(id);
        };
      },
    });
    await start({ store });
    const [first, second] = [await visitor(), await visitor()];
    failing = idOf(first);
    expect(await seen(first, second)).toBe(503);
    expect(await seen(unknown(), first)).toBe(503);
  });
});

describeOnEmulator("the loads of several cookies, on Datastore", () => {
  let proxy: GrpcProxy;
  beforeAll(async () => void (proxy = await new GrpcProxy(emulatorHost()).open()));
  afterAll(() => proxy.close());

  it("travel in one Lookup", async () => {
    const store = new DatastoreStore({ emulatorHost: proxy.address, namespace: freshNamespace(), timeoutMs: 20_000 });
    await start({ store });
    const own = await visitor();
    const lookups = () =>
      Object.entries(proxy.calls).reduce((sum, [name, n]) => (/lookup/i.test(name) ? sum + n : sum), 0);
    const before = lookups();
    expect(await seen(unknown(), unknown(), unknown(), own)).toMatchObject({ views: 1 });
    expect(lookups() - before).toBe(1);
  });
});

describe("a dead cookie of an earlier setting", () => {
  const removals = async (path: string, cookie: string, headers = {}): Promise<string[]> => {
    const answer = await app.get(path, { cookie, ...headers });
    return (answer.headers["set-cookie"] ?? []).map((header) => header.replace(/^([^=]+)=[^;]+/, "$1=…"));
  };
  const END = "Max-Age=0";

  it.each([
    [
      "of this host and every host below it",
      {},
      [`sid=; ${END}; Domain=shop.example.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax`],
    ],
    [
      "of this host alone",
      { domain: "example.com" },
      [
        `sid=; ${END}; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax`,
        `sid=; ${END}; Domain=shop.example.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax`,
      ],
    ],
  ])("%s is taken back with the first cookie that is set beside it", async (_what, cookie, expected) => {
    await start({ store: new MemoryStore(), cookie });
    const [old, other] = [await dead(), await dead()];
    const set = await removals("/login", `${old}; ${other}`, { host: "shop.example.com:3000" });
    expect(set.slice(0, -1)).toEqual(expected);
    expect(set.at(-1)).toMatch(/^sid=…/);
  });

  it("is left where no cookie is set, and where the request carries one only", async () => {
    await start({ store: new MemoryStore() });
    const host = { host: "shop.example.com" };
    const [old, own] = [await dead(), await visitor()];
    expect(await removals("/read", `${old}; ${own}`, host)).toEqual([]);
    expect(await removals("/count", `${old}; ${own}`, host)).toEqual([]);
    expect(await removals("/login", old, host)).toHaveLength(1);
  });

  it.each(["127.0.0.1:80", "[::1]:80", "localhost:80", "no domain", "a.b;Path=/"])(
    "has no domain on %s",
    async (host) => {
      await start({ store: new MemoryStore() });
      expect(await removals("/login", `${await dead()}; ${await dead()}`, { host })).toHaveLength(1);
    },
  );

  it("that was, or was not, Partitioned is taken back where the name allows no other", async () => {
    await start({ store: new MemoryStore(), cookie: { secure: true } });
    const [set, ...more] = await removals("/login", `${await dead()}; ${await dead()}`, { host: "shop.example.com" });
    expect(set).toMatch(/^__Host-sid=; Max-Age=0; Path=\/; .*Secure; Partitioned/);
    expect(more).toHaveLength(1);
  });

  it("under another secret is passed over", async () => {
    const store = new MemoryStore();
    await start({ store, secrets: [OLD_SECRET] });
    const old = await visitor();
    await start({ store, secrets: [SECRET] });
    expect(await seen(old, await visitor())).toMatchObject({ views: 1 });
  });
});
