import type { Express } from "express";
import type { AuditEntry } from "../../lib/admin/checked/admin-audit";
import type { Sessions } from "../../lib/sessions";
import type { SessionStore } from "../../lib/stores/store";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { idOf } from "../support/session-life";

function routes(app: Express, sessions: Sessions): void {
  app.get("/login", async (req, res) => {
    await req.session.login("alice");
    res.end();
  });
  app.get("/root", async (req, res) => {
    await req.session.login("root");
    res.end();
  });
  app.get("/who", (req, res) => res.json({ owner: req.session.owner, isNew: req.session.isNew }));
  app.get("/set", (req, res) => {
    req.session.set("tea", "black");
    res.end();
  });
  app.get("/notice", async (req, res) => res.json({ notice: (await sessions.endedNotice(req)) ?? null }));
  app.get("/admin/kill/:id", async (req, res) => res.json(await sessions.admin(req).kill(req.params.id)));
}

const GUEST = '{"owner":"__guest__","isNew":true}';

describeOnEveryStore("an unreadable session", (every) => {
  const { damage, writeNewerFormat } = every;
  if (damage === undefined || writeNewerFormat === undefined) {
    it("is not to be had", () => expect(every.name).toBe("MemoryStore"));
    return;
  }
  const KINDS: [string, (id: string) => Promise<void>][] = [
    ["damaged in its data", (id) => damage(store, id, "data")],
    ["damaged in its header", (id) => damage(store, id, "header")],
    ["of a newer format", (id) => writeNewerFormat(store, id)],
  ];
  const DAMAGED = KINDS.slice(0, 2);

  let store: SessionStore;
  let app: RunningApp;
  let headers: { cookie: string };
  let id: string;
  let entries: AuditEntry[];

  async function start(express?: (typeof EXPRESSES)[number][1]): Promise<void> {
    entries = [];
    const options = {
      isSuperUser: (user: string) => user === "root",
      audit: (entry: AuditEntry) => entries.push(entry),
    };
    store = await every.open();
    app = await startApp(routes, { store, ...options, ...(express === undefined ? {} : { express }) });
    await signIn();
  }

  async function signIn(): Promise<void> {
    headers = { cookie: (await app.get("/login")).cookie ?? "" };
    id = idOf(headers.cookie);
  }

  afterEach(() => app.close());

  describe.each(DAMAGED)("%s", (_kind, spoil) => {
    describe.each(EXPRESSES)("on %s", (_name, express) => {
      beforeEach(() => start(express));

      it("P7: opens nothing, which `error` tells, and its visitor can sign in anew", async () => {
        await spoil(id);
        expect((await app.get("/who", headers)).body).toBe(GUEST);
        expect(app.errors).toMatchObject([{ code: "SESSION_UNREADABLE", message: expect.stringContaining(id) }]);
        const { status, cookie = "" } = await app.get("/login", headers);
        expect(status).toBe(200);
        expect(idOf(cookie)).not.toBe(id);
        expect((await app.get("/who", { cookie })).body).toBe('{"owner":"alice","isNew":false}');
      });

      it("P7: does not keep a guest from starting a session", async () => {
        await spoil(id);
        const { status, cookie = "" } = await app.get("/set", headers);
        expect(status).toBe(200);
        expect((await app.get("/who", { cookie })).body).toContain('"isNew":false');
      });

      it("says nothing of why it is over, also where that is asked for", async () => {
        await spoil(id);
        expect(await app.get("/notice", headers)).toMatchObject({ status: 200, body: '{"notice":null}' });
      });
    });
  });

  describe("of a newer format", () => {
    beforeEach(() => start());

    it("P7: fails its requests until it is ended: the version that wrote it reads it still", async () => {
      await writeNewerFormat(store, id);
      for (const path of ["/who", "/login"]) {
        const answer = await app.get(path, headers);
        expect(answer).toMatchObject({ status: 500, cookie: undefined });
        expect(answer.body).toContain("SESSION_UNREADABLE");
      }
      expect(await app.sessions.kill(id)).toBe(true);
      expect((await app.get("/who", headers)).body).toBe(GUEST);
    });
  });

  describe.each(KINDS)("%s", (_kind, spoil) => {
    beforeEach(() => start());

    async function expectEnded(): Promise<void> {
      expect(await store.load(id)).toBeUndefined();
      expect(await app.sessions.kill(id)).toBe(false);
      expect((await app.get("/who", headers)).body).toBe(GUEST);
    }

    it("P2: is ended by kill, once", async () => {
      const ended: unknown[] = [];
      app.sessions.on("ended", (event) => ended.push(event));
      await spoil(id);
      expect(await app.sessions.kill(id)).toBe(true);
      expect(ended).toEqual([{ id, owner: "alice", reason: "killed" }]);
      await expectEnded();
    });

    it("P2: is ended with its user's others, and counted", async () => {
      await app.get("/login");
      await spoil(id);
      expect(await app.sessions.killSessionByUser("bob")).toBe(0);
      expect(await app.sessions.killSessionByUser("alice")).toBe(2);
      await expectEnded();
    });

    it("P2: is ended with everyone's", async () => {
      await app.get("/set");
      await spoil(id);
      expect(await app.sessions.killAllSessions()).toBe(2);
      expect(await app.sessions.killAllSessions()).toBe(0);
      await expectEnded();
    });

    it("P2: is ended by an administrator, and nobody else learns that it is there", async () => {
      await spoil(id);
      const { cookie: stranger = "" } = await app.get("/login");
      expect((await app.get(`/admin/kill/${id}`, { cookie: stranger })).status).toBe(403);
      const { cookie: root = "" } = await app.get("/root");
      expect((await app.get(`/admin/kill/${id}`, { cookie: root })).body).toBe("true");
      expect(entries).toMatchObject([
        { action: "kill", target: id, result: "refused" },
        { action: "kill", target: id, targetUser: "alice", result: "allowed", ended: 1 },
      ]);
      await expectEnded();
    });
  });
});
