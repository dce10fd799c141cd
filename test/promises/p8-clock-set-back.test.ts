import { setTimeout as sleep } from "node:timers/promises";
import type { Express } from "express";
import { Sessions } from "../../lib/sessions";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { idOf } from "../support/session-life";
import type { SessionStore } from "../../lib/stores/store";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function routes(app: Express): void {
  app.get("/login", async (req, res) => {
    await req.session.login("root");
    res.end();
  });
  app.get("/read", (req, res) => res.send(req.session.owner));
  app.get("/touch", async (req, res) => {
    await req.session.touch();
    res.end();
  });
  app.get("/mark", (req, res) => {
    req.session.markChanged();
    res.end();
  });
  app.get("/mark-and-login", (req, res) => {
    req.session.markChanged();
    req.session.set("user", "carol"); // A new owner: written by another way.
    res.end();
  });
}

describeOnEveryStore("a clock that is set back", (every) => {
  describe.each(EXPRESSES)("on %s", (_name, express) => {
    let store: SessionStore;
    let app: RunningApp;
    let clock: number;
    let headers: { cookie: string };

    beforeEach(async () => {
      clock = Date.now();
      const now = () => clock;
      store = await every.open({ now });
      const userOf = (session: { get(key: string): unknown }) => session.get("user") as string | undefined;
      const limits = { idleTimeout: "6h", absoluteTimeout: "24h", touchInterval: "1m" } as const;
      app = await startApp(routes, { store, express, now, userOf, isSuperUser: () => true, ...limits });
      headers = { cookie: (await app.get("/login")).cookie ?? "" };
    });

    afterEach(() => app.close());

    async function times(id: string) {
      const { lastSeenAt, expiresAt, purgeAt } = (await store.load(id))!;
      return { lastSeenAt, expiresAt, purgeAt };
    }

    const renew = () => app.sessions.admin({ session: { id: idOf(headers.cookie) } }).renew(idOf(headers.cookie));

    it.each([
      ["touch()", () => app.get("/touch", headers)],
      ["markChanged()", () => app.get("/mark", headers)],
      ["markChanged() with a new owner", () => app.get("/mark-and-login", headers)],
      ["the touch of a request", () => app.get("/read", headers)],
      ["an administrator's renew", renew],
    ])("P8: lastSeenAt and expiresAt stay where they are at %s", async (_what, visit) => {
      const before = await times(idOf(headers.cookie));
      clock -= HOUR;
      await visit();
      expect(await times(idOf(headers.cookie))).toEqual(before);
      expect((await app.get("/read", headers)).status).toBe(200);
    });

    it("P8: they move again once the clock is past them", async () => {
      const id = idOf(headers.cookie);
      const { expiresAt, lastSeenAt } = await times(id);
      clock -= HOUR;
      await app.get("/touch", headers);
      clock += 2 * HOUR;
      await app.get("/touch", headers);
      expect(await times(id)).toMatchObject({ lastSeenAt: lastSeenAt + HOUR, expiresAt: expiresAt + HOUR });
    });
  });

  describe("of a program that holds a clientless session", () => {
    let clock: number;
    let store: SessionStore;
    let sessions: Sessions;

    beforeEach(async () => {
      clock = Date.now();
      const now = () => clock;
      store = await every.open({ now });
      sessions = new Sessions({ store, now, clearSchedule: false, leaseTimeout: "15m", storeTimeout: "20s" });
    });

    afterEach(() => sessions.close());

    it("P8: a lease that is taken or renewed is counted from when the session was last seen", async () => {
      const opened = await sessions.openClientlessSession("alice");
      const { lastSeenAt } = (await store.load(opened.id))!;
      clock -= HOUR;
      {
        await using session = opened;
        const stored = () => store.load(session.id);
        while ((await stored())?.idleMs !== 15 * MINUTE) await sleep(5);
        expect(await stored()).toMatchObject({ lastSeenAt, expiresAt: lastSeenAt + 15 * MINUTE });
        await session.touch();
        expect(await stored()).toMatchObject({ lastSeenAt, expiresAt: lastSeenAt + 15 * MINUTE });
      }
    });
  });
});
