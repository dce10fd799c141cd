import type { SessionStore } from "../../lib/stores/store";
import { EXPRESSES, startApp } from "../support/app";
import type { AppOptions, RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import type { Operation } from "../support/faulty-store";
import { closedGate } from "../support/gate";
import type { Gate } from "../support/gate";

const secrets = ["a secret of the tests, which has more than 32 bytes"];
const ALICE = { owner: "alice", tea: "black" };
const GUEST = { owner: "__guest__", tea: null };

/** An app in which every request carries alice's old session, which stays. */
const start = (options: AppOptions) =>
  startApp(
    (app) => {
      app.get("/", (req, res) => res.json({ owner: req.session.owner, tea: req.session.get("tea") ?? null }));
    },
    { secrets, adopt: () => ({ id: "1", data: { tea: "black" }, user: "alice" }), ...options },
  );

describeOnEveryStore("P2: adopt", (every) => {
  describe.each(EXPRESSES)("%s", (_name, express) => {
    let store: SessionStore;
    let app: RunningApp;
    let apps: RunningApp[];
    let created: string[];

    beforeEach(async () => {
      store = await every.open();
      apps = [];
      created = [];
      app = await instance("app", store);
    });
    afterEach(async () => {
      for (const each of apps) await each.close();
    });

    async function instance(name: string, its: SessionStore, options: AppOptions = {}): Promise<RunningApp> {
      const started = await start({ express, store: its, ...options });
      started.sessions.on("created", () => created.push(name));
      apps.push(started);
      return started;
    }

    /** A request to an instance of its own, which stops before or after an operation on the store until the gate opens. */
    async function heldAt(...stops: (readonly [Operation, "before" | "after", Gate])[]) {
      const faulty = new FaultyStore(store);
      faulty.pause = (operation, moment) => stops.find(([at, when]) => at === operation && when === moment)?.[2].pass();
      const held = await instance("held", faulty);
      const answer = held.get("/");
      await stops[0]?.[2].reached;
      return { answer };
    }

    async function expectGuest(answer: Promise<{ body: string; cookie: string | undefined }>): Promise<void> {
      const { body, cookie } = await answer;
      expect([JSON.parse(body), cookie]).toEqual([GUEST, undefined]);
    }

    const live = () => app.sessions.getSessionInfo();

    it("does not make a session anew that was made and ended while a request was about to make it", async () => {
      const gate = closedGate();
      const { answer } = await heldAt(["create", "before", gate]);
      const { cookie } = await app.get("/");
      expect(cookie).toBeDefined();
      expect(await app.sessions.killSessionByUser("alice")).toBe(1);
      gate.open();
      await expectGuest(answer);
      expect(await live()).toEqual([]);
      await expectGuest(app.get("/", { cookie }));
    });

    it("is over where a kill comes while the session is being made", async () => {
      const gate = closedGate();
      const { answer } = await heldAt(["create", "after", gate]);
      expect(await live()).toEqual([]);
      await app.sessions.killSessionByUser("alice");
      gate.open();
      await expectGuest(answer);
      expect(await live()).toEqual([]);
      await expectGuest(app.get("/"));
      expect(created).toEqual([]);
    });

    it("opens no session that another request begins to make after the kill", async () => {
      const [beginning, begun, opening] = [closedGate(), closedGate(), closedGate()];
      const second = await heldAt(["create", "before", beginning], ["create", "after", begun]);
      const first = await heldAt(["update", "before", opening]);
      const { cookie, body } = await app.get("/");
      expect(JSON.parse(body)).toEqual(ALICE);
      expect(await app.sessions.killSessionByUser("alice")).toBe(1);
      beginning.open();
      await begun.reached;
      opening.open();
      await expectGuest(first.answer);
      await expectGuest(app.get("/", { cookie }));
      begun.open();
      await expectGuest(second.answer);
      expect(await live()).toEqual([]);
      const notice = await app.sessions.getSessionInfo({ live: false });
      expect(notice.map(({ endReason }) => endReason)).toEqual(["killed"]);
    });

    it("lets one request go on where another has made the session, and tells once that it was created", async () => {
      const gate = closedGate();
      const { answer } = await heldAt(["create", "after", gate]);
      const other = await app.get("/");
      expect(JSON.parse(other.body)).toEqual(ALICE);
      gate.open();
      const { body, cookie } = await answer;
      expect([JSON.parse(body), cookie]).toEqual([ALICE, other.cookie]);
      expect(await live()).toHaveLength(1);
      expect(created).toEqual(["held"]);
    });

    it("takes over a session that lives for less than the store may take", async () => {
      const brief = await instance("brief", store, { idleTimeout: "25s", touchInterval: "10s", storeTimeout: "25s" });
      expect(JSON.parse((await brief.get("/")).body)).toEqual(ALICE);
    });

    it.each([
      ["create", "loses its answer"],
      ["update", "rejects"],
    ] as const)("fails where %s %s, shows no session, and goes on with the next request", async (operation, fault) => {
      const faulty = new FaultyStore(store);
      const failing = await instance("failing", faulty);
      faulty.fail(operation, fault);
      const failed = await failing.get("/");
      expect([failed.status, failed.cookie]).toEqual([503, undefined]);
      expect(await live()).toEqual([]);
      faulty.recover();
      const next = await failing.get("/");
      expect(JSON.parse(next.body)).toEqual(ALICE);
      expect((await live()).map(({ username }) => username)).toEqual(["alice"]);
      expect(JSON.parse((await app.get("/", { cookie: next.cookie })).body)).toEqual(ALICE);
    });
  });
});
