import { setTimeout as sleep } from "node:timers/promises";
import type { Express } from "express";
import { dictionary, GUEST_USER } from "../../lib/record/session-record";
import type { SessionRecord } from "../../lib/record/session-record";
import { newToken, sessionIdOf } from "../../lib/record/token";
import { Sessions } from "../../lib/sessions";
import { OWNER_HEADERS_AT_ONCE } from "../../lib/stores/store";
import type { SessionStore } from "../../lib/stores/store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { sessionRecord } from "../support/session-records";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How often a kill is tried: one that relies on luck misses the session in about a third of them. */
const KILLS = 10;

/** Expired two hours ago, and not to be cleared yet. */
function expiredRecord(owner: string): SessionRecord {
  const now = Date.now();
  return sessionRecord({ owner, lastSeenAt: now - 3 * HOUR, expiresAt: now - 2 * HOUR, purgeAt: now + 22 * HOUR });
}

/** Makes another until the store can put it in the place of the record of this id. */
function placedWith<T extends { readonly id: string }>(store: SessionStore, oldId: string, make: () => T): T {
  for (;;) {
    const made = make();
    if (store.isPlacedWith?.(made.id, oldId) !== false) return made;
  }
}

function newCookie() {
  const token = newToken();
  return { id: sessionIdOf(token), headers: { cookie: `sid=${token}` } };
}

/** A new session for the user, under a new token, as many apps do for each step of a sign-in. */
function routes(app: Express): void {
  app.get("/rotate", async (req, res) => {
    if (req.session.isNew) return res.sendStatus(403);
    const data = Object.fromEntries(req.session.items());
    await req.session.regenerate();
    await req.session.merge(data).save();
    return res.end();
  });
}

interface Rotating {
  readonly app: RunningApp;
  readonly headers: { cookie: string };
  /** How far away the client is, in milliseconds. */
  readonly awayMs: number;
  readonly isKillOver: () => boolean;
}

/** Rotates a session until that is refused. Resolves to whether that was at the latest once the kill was over. */
async function isRefused({ app, headers: first, awayMs, isKillOver }: Rotating): Promise<boolean> {
  for (let headers = first; ;) {
    const isLast = isKillOver();
    const { status, cookie } = await app.get("/rotate", headers);
    if (cookie === undefined) return status === 409 || status === 403;
    if (isLast) return false;
    headers = { cookie };
    await sleep(awayMs);
  }
}

/** Begins sessions until the kill is over. */
async function visit(store: SessionStore, owner: string, isKillOver: () => boolean): Promise<void> {
  while (!isKillOver()) {
    await store.create(sessionRecord({ owner }));
    await sleep(1);
  }
}

interface Kind {
  readonly owner: string;
  readonly kill: (sessions: Sessions) => Promise<number>;
  /** How many have expired: by default so many that no store reads all at once, and in one place if it has several. */
  readonly expired?: number;
  readonly idleTimeout?: "2m";
  /** Whether other sessions of the same owner begin meanwhile. */
  readonly visitors?: true;
}

const killAll = (sessions: Sessions) => sessions.killAllSessions();
const killAlice = (sessions: Sessions) => sessions.killSessionByUser("alice");

const KINDS: Readonly<Record<string, Kind>> = {
  "everyone's": { owner: "alice", kill: killAll },
  "everyone's, of two minutes": { owner: "alice", kill: killAll, idleTimeout: "2m" },
  "everyone's, while others begin": { owner: "alice", kill: killAll, visitors: true },
  "the guests'": { owner: GUEST_USER, kill: (sessions) => sessions.killSessionByUser(GUEST_USER) },
  "a user's": { owner: "alice", kill: killAlice, expired: OWNER_HEADERS_AT_ONCE - 10 },
  "a user's who has more than a page": { owner: "alice", kill: killAlice, expired: 2 * OWNER_HEADERS_AT_ONCE },
};

describeOnEveryStore("a kill among many sessions that expired and are not cleared yet", (every) => {
  const many = every.name === "SqliteStore" ? 3_000 : 310;
  // While the emulator reads a page, a client next to it has rotated its session several times.
  const awayMs = every.name === "DatastoreStore" ? 50 : 0;

  let isOver: boolean;
  let opened: { close(): Promise<void> } | undefined;
  beforeEach(() => (isOver = false));
  // Also after a failure: a visitor that goes on would keep the process alive.
  afterEach(async () => {
    isOver = true;
    await opened?.close();
  });
  const isKillOver = () => isOver;

  async function withExpired({ owner, expired, idleTimeout }: Kind) {
    const store = await every.open();
    const app = await startApp(routes, { store, userOf: () => owner, idleTimeout: idleTimeout ?? "1h" });
    opened = app;
    const first = newCookie();
    const newExpired = () => expiredRecord(owner);
    const records = Array.from({ length: expired ?? many }, () =>
      expired === undefined ? placedWith(store, first.id, newExpired) : newExpired(),
    );
    await Promise.all(records.map((record) => store.create(record)));
    return { store, app, first };
  }

  test.each(Object.entries(KINDS))("P2: ends one that is rotated over and over: %s", async (_whose, kind) => {
    const { owner, kill, idleTimeout, visitors } = kind;
    const { store, app, first } = await withExpired(kind);
    for (let n = 0; n < KILLS; n += 1) {
      const { id, headers } = placedWith(store, first.id, newCookie);
      const limits = idleTimeout === undefined ? {} : { idleMs: 2 * MINUTE, expiresAt: Date.now() + 2 * MINUTE };
      await store.create(
        sessionRecord({ id, owner, data: Object.assign(dictionary<string>(), { a: "1" }), ...limits }),
      );
      isOver = false;
      const rotating = isRefused({ app, headers, awayMs, isKillOver });
      const visiting = visitors === true ? visit(store, owner, isKillOver) : undefined;
      const killing = kill(app.sessions).finally(() => (isOver = true));
      const [killed, refused] = await Promise.all([killing, rotating, visiting]);
      expect(refused).toBe(true);
      if (visitors === true) expect(killed).toBeGreaterThanOrEqual(1);
      else expect(killed).toBe(1);
    }
  });

  const { damage } = every;
  const testDamaged = damage === undefined ? test.skip : test; // In MemoryStore nothing can be damaged.
  testDamaged("P2: ends one that can't be read, while others begin", async () => {
    const { store, app } = await withExpired({ owner: "alice", kill: killAll, expired: 1 });
    const damaged = sessionRecord({ owner: "alice" });
    await store.create(damaged);
    await damage?.(store, damaged.id, "header");
    const load = async () => store.load(damaged.id);
    await expect(load()).rejects.toMatchObject({ code: "SESSION_UNREADABLE" });
    const visiting = visit(store, "alice", isKillOver);
    await app.sessions.killAllSessions();
    await expect(load()).resolves.toBeUndefined();
    isOver = true;
    await visiting;
  });

  test("does not search again for the session that an administrator keeps", async () => {
    const store = await every.open();
    const sessions = new Sessions({ store, clearSchedule: false, isSuperUser: () => true });
    opened = sessions;
    const acting = sessionRecord({ owner: "root" });
    for (const record of [acting, sessionRecord(), sessionRecord()]) await store.create(record);
    const find = jest.spyOn(store, "find");
    expect(await sessions.admin({ session: acting }).killAll({ keepMine: true })).toBe(2);
    expect(find.mock.calls.filter(([{ state, id }]) => state === "live" && id === undefined)).toHaveLength(2);
  });
});
