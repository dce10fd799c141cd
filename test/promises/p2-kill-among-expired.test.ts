import { setTimeout as sleep } from "node:timers/promises";
import type { Express } from "express";
import { dictionary, GUEST_USER } from "../../lib/record/session-record";
import type { SessionRecord } from "../../lib/record/session-record";
import { newToken, sessionIdOf } from "../../lib/record/token";
import type { Sessions } from "../../lib/sessions";
import { OWNER_HEADERS_AT_ONCE } from "../../lib/stores/store";
import type { SessionStore } from "../../lib/stores/store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { sessionRecord } from "../support/session-records";

const HOUR = 3_600_000;
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

/** A client that rotates its session until that is refused. */
class Rotator {
  isKillOver = false;
  readonly #app: RunningApp;
  /** How far away it is, in milliseconds. */
  readonly #awayMs: number;

  constructor(app: RunningApp, awayMs: number) {
    this.#app = app;
    this.#awayMs = awayMs;
  }

  /** Resolves to whether it was refused, at the latest once the kill was over. */
  async isRefused(headers: { cookie: string }): Promise<boolean> {
    for (;;) {
      const isLast = this.isKillOver;
      const { status, cookie } = await this.#app.get("/rotate", headers);
      if (cookie === undefined) return status === 409 || status === 403;
      if (isLast) return false;
      headers = { cookie };
      await sleep(this.#awayMs);
    }
  }
}

interface Kind {
  readonly owner: string;
  readonly kill: (sessions: Sessions) => Promise<number>;
  /** How many have expired: by default so many that no store reads all at once, and in one place if it has several. */
  readonly expired?: number;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "everyone's": { owner: "alice", kill: (sessions) => sessions.killAllSessions() },
  "the guests'": { owner: GUEST_USER, kill: (sessions) => sessions.killSessionByUser(GUEST_USER) },
  "a user's": {
    owner: "alice",
    kill: (sessions) => sessions.killSessionByUser("alice"),
    expired: OWNER_HEADERS_AT_ONCE - 10,
  },
};

describeOnEveryStore("a kill among many sessions that expired and are not cleared yet", (every) => {
  // While the emulator reads a page, a client next to it has rotated its session several times: a kill needs luck.
  const many = every.name === "SqliteStore" ? 3_000 : 310;
  const awayMs = every.name === "DatastoreStore" ? 50 : 0;

  test.each(Object.entries(KINDS))("P2: ends one that is rotated over and over: %s", async (_whose, kind) => {
    const { owner, kill, expired } = kind;
    const store = await every.open();
    const app = await startApp(routes, { store, userOf: () => owner });
    const first = newCookie();
    const newExpired = () => expiredRecord(owner);
    const records = Array.from({ length: expired ?? many }, () =>
      expired === undefined ? placedWith(store, first.id, newExpired) : newExpired(),
    );
    await Promise.all(records.map((record) => store.create(record)));
    for (let n = 0; n < KILLS; n += 1) {
      const { id, headers } = placedWith(store, first.id, newCookie);
      await store.create(sessionRecord({ id, owner, data: Object.assign(dictionary<string>(), { a: "1" }) }));
      const rotator = new Rotator(app, awayMs);
      const killing = kill(app.sessions).finally(() => (rotator.isKillOver = true));
      expect(await Promise.all([killing, rotator.isRefused(headers)])).toEqual([1, true]);
    }
    await app.close();
  });
});
