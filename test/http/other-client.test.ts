import type { Express } from "express";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { otherClient } from "../../lib/record/other-client";
import type { SessionDelta } from "../../lib/record/session-delta";
import { startApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { eventually } from "../support/eventually";
import { idOf } from "../support/session-life";
import { sessionRecord } from "../support/session-records";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const CURL = "curl/8.0";

const routes = (app: Express) => {
  app.set("trust proxy", true);
  app.get("/read", (req, res) => void res.send(String(req.session.get("n"))));
  app.get("/write", (req, res) => {
    req.session.set("n", Number(req.session.get("n") ?? 0) + 1);
    res.end();
  });
  app.get("/touch", async (req, res) => {
    await req.session.touch();
    res.end();
  });
  app.get("/login", async (req, res) => {
    await req.session.login("alice");
    res.end();
  });
};

describeOnEveryStore("a session that another client uses", (every) => {
  test("says which address and which browser, with the next save, and forgets it for no later request", async () => {
    const app = await startApp(routes, { store: await every.open() });
    const from = (userAgent: string, address: string, cookie = "") => ({
      ...{ cookie, "user-agent": userAgent, "x-forwarded-for": address },
    });
    try {
      const cookie = (await app.get("/write", from(FIREFOX, "203.0.113.1"))).cookie!;
      await app.get("/write", from(FIREFOX, "203.0.113.1", cookie));
      const info = async () => app.sessions.getSession(idOf(cookie));
      expect(await info()).toMatchObject({ otherClient: null, clientAddress: "203.0.113.1" });

      await app.get("/write", from(CURL, "198.51.100.7", cookie));
      const other = { clientAddress: "198.51.100.7", userAgent: CURL, since: expect.any(Date) };
      expect(await info()).toMatchObject({ otherClient: other, clientAddress: "203.0.113.1", userAgent: FIREFOX });
      const { since } = (await info()).otherClient!;

      await app.get("/write", from(FIREFOX, "203.0.113.1", cookie));
      expect(await info()).toMatchObject({ otherClient: { ...other, since } });
      await app.get("/touch", from(FIREFOX, "203.0.113.9", cookie));
      expect(await info()).toMatchObject({
        otherClient: { clientAddress: "203.0.113.9", userAgent: FIREFOX, since },
        activePages: 0,
      });
      const listed = await app.sessions.getSessionInfo();
      expect(listed).toMatchObject([{ otherClient: { clientAddress: "203.0.113.9" } }]);

      await app.get("/login", from(CURL, "198.51.100.7", cookie));
      expect(await app.sessions.getSessionInfo()).toMatchObject([{ otherClient: null, userAgent: CURL }]);
      expect(await info()).toMatchObject({ otherClient: null, endReason: "login" });
    } finally {
      await app.close();
    }
  });
});

test("P4: another client makes no write of its own, and one that is known is not written again", async () => {
  const store = new WatchedUpdates();
  const app = await startApp(routes, { store });
  try {
    const cookie = (await app.get("/write", { "user-agent": FIREFOX })).cookie!;
    await app.get("/read", { cookie, "user-agent": CURL });
    expect(store.deltas).toEqual([]);
    await app.get("/write", { cookie, "user-agent": CURL });
    await app.get("/write", { cookie, "user-agent": CURL });
    expect(store.deltas.map(({ pages }) => pages !== undefined)).toEqual([true, false]);
  } finally {
    await app.close();
  }
});

test("a touch that is due carries it", async () => {
  const store = new WatchedUpdates();
  const app = await startApp(routes, { store });
  try {
    const cookie = (await app.get("/write", { "user-agent": FIREFOX })).cookie!;
    const seenAt = Date.now() - 10 * 60_000;
    await store.update(idOf(cookie), { lastSeenAt: seenAt });
    await app.get("/read", { cookie, "user-agent": CURL });
    await eventually(async () => (await app.sessions.getSession(idOf(cookie))).otherClient?.userAgent === CURL);
  } finally {
    await app.close();
  }
});

test("a session that code has opened knows of no first client, and so of no other", async () => {
  const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
  try {
    const session = await sessions.openClientlessSession("alice");
    expect((await sessions.getSession(session.id)).otherClient).toBeNull();
  } finally {
    await sessions.close();
  }
});

test("a record of before has none", () => {
  expect(otherClient(sessionRecord())).toBeUndefined();
});

/** Keeps what it was asked to update. */
class WatchedUpdates extends MemoryStore {
  readonly deltas: SessionDelta[] = [];

  override update(id: string, delta: SessionDelta): Promise<boolean> {
    this.deltas.push(delta);
    return super.update(id, delta);
  }
}
