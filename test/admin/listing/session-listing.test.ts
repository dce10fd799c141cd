import { Sessions } from "../../../lib";
import type { SessionFilter, SessionInfo } from "../../../lib";
import { DatastoreRpc } from "../../../lib/stores/datastore/calls/datastore-rpc";
import { LiveTable } from "../../../lib/stores/sqlite/tables/live-table";
import type { SessionStore } from "../../../lib/stores/store";
import { describeOnEveryStore } from "../../support/every-store";
import { killed, sessionRecord } from "../../support/session-records";
import { howMany } from "../../support/how-many";

const HOUR = 3_600_000;

describeOnEveryStore("getSessionInfo", (every) => {
  let store: SessionStore;
  let sessions: Sessions;
  let now: number;

  beforeEach(async () => {
    now = Date.now();
    store = await every.open({ now: () => now });
    sessions = new Sessions({ store, clearSchedule: false, storeTimeout: "20s", now: () => now });
  });
  afterEach(() => sessions.close());

  const fill = async (count: number, fields: (n: number) => Parameters<typeof sessionRecord>[0]) => {
    const records = Array.from({ length: count }, (_, n) => sessionRecord(fields(n)));
    for (let n = 0; n < count; n += 50) await Promise.all(records.slice(n, n + 50).map((one) => store.create(one)));
    return records;
  };
  const idsOf = (infos: readonly { readonly id: string }[]) => infos.map(({ id }) => id);
  const byId = (ids: readonly string[]) => [...ids].sort();

  /** The pages of a listing, each from the cursor of the one before. */
  const pagesOf = async (filter: SessionFilter): Promise<string[][]> => {
    const pages: string[][] = [];
    let page = await sessions.getSessionInfo(filter);
    for (; page.next !== undefined; page = await sessions.getSessionInfo({ ...filter, after: page.next })) {
      pages.push(idsOf(page));
    }
    return [...pages, idsOf(page)];
  };
  const eachOf = async (filter: SessionFilter): Promise<SessionInfo[]> => {
    const infos: SessionInfo[] = [];
    for await (const info of sessions.eachSessionInfo(filter)) infos.push(info);
    return infos;
  };

  it("returns all, in pages that neither repeat nor leave out a session, or one by one", async () => {
    const records = await fill(23, (n) => ({ owner: n < 20 ? "alice" : "bob" }));
    const all = byId(idsOf(records));
    const alices = byId(idsOf(records.slice(0, 20)));
    const whole = await sessions.getSessionInfo();
    expect(idsOf(whole)).toEqual(all);
    expect(whole.next).toBeUndefined();
    expect((await pagesOf({ limit: 10 })).map((page) => page.length)).toEqual([10, 10, 3]);
    expect((await pagesOf({ limit: 10 })).flat()).toEqual(all);
    expect((await pagesOf({ limit: 10, username: "alice" })).map((page) => page.length)).toEqual([10, 10]);
    expect((await pagesOf({ limit: 7, username: /^a/ })).flat()).toEqual(alices);
    expect(idsOf(await eachOf({ username: "alice" }))).toEqual(alices);
    expect(idsOf(await eachOf({ username: "alice", limit: 3 }))).toEqual(alices.slice(0, 3));
    expect(JSON.parse(JSON.stringify(whole))).toHaveLength(23);
  });

  it("goes on after a session that was ended meanwhile", async () => {
    const ids = byId(idsOf(await fill(6, () => ({ owner: "alice" }))));
    const first = await sessions.getSessionInfo({ limit: 2 });
    await sessions.kill(ids[1] ?? "");
    const second = await sessions.getSessionInfo({ limit: 2, after: first.next ?? "" });
    expect(idsOf(second)).toEqual(ids.slice(2, 4));
  });

  it("filters by user, project and scope: exactly, by pattern or by function", async () => {
    const [one, two, three, guest] = await fill(4, (n) => ({
      owner: ["alice", "alice", "bob", "__guest__"][n] ?? "",
      project: n === 1 ? "forum" : "shop",
      scope: n === 2 ? "ios" : "browser",
    }));
    const found = async (filter: SessionFilter) => idsOf(await sessions.getSessionInfo(filter));
    const ids = (...records: (typeof one)[]) => byId(records.map((record) => record!.id));
    expect(await found({ username: "alice" })).toEqual(ids(one, two));
    expect(await found({ username: "alice", project: "shop" })).toEqual(ids(one));
    expect(await found({ scope: "ios" })).toEqual(ids(three));
    expect(await found({ scope: /^brow/, project: "shop" })).toEqual(ids(one, guest));
    expect(await found({ username: "Unauthenticated", scope: (scope) => scope !== "ios" })).toEqual(ids(guest));
    expect(await found({ scope: "android" })).toEqual([]);
    expect(await found({ username: undefined, limit: undefined } as object)).toHaveLength(4);
  });

  it("P8: lists expired sessions among those that are over, until keepEnded is over", async () => {
    const [gone, killedOne, forgotten, live] = await fill(4, (n) => ({
      owner: "alice",
      expiresAt: now + (n === 3 ? 2 * HOUR : HOUR),
      purgeAt: now + (n === 2 ? HOUR : 9 * HOUR),
    }));
    await store.end(killedOne!.id, killed(now));
    now += HOUR;
    expect(idsOf(await sessions.getSessionInfo({ username: "alice" }))).toEqual([live!.id]);
    const over = await sessions.getSessionInfo({ live: false });
    expect(over.map(({ id, endReason, endedBy }) => [id, endReason, endedBy])).toEqual([
      [killedOne!.id, "killed", "admin"],
      [gone!.id, "expired", null],
    ]);
    expect(over[1]).toMatchObject({ endedAt: new Date(now), authorized: false, expiresAt: null });
    expect(await pagesOf({ live: false, limit: 1 })).toEqual([[killedOne!.id], [gone!.id]]);
    await expect(sessions.getSession(forgotten!.id)).rejects.toMatchObject({ code: "SESSION_NOT_FOUND" });
    now += 24 * HOUR;
    expect(await sessions.getSessionInfo({ live: false })).toEqual([]);
  });

  it("reads a bounded number of sessions for a page that no index finds", async () => {
    if (every.name === "DatastoreStore") return; // 6,000 creates take too long there; how pages end is the same.
    const records = await fill(6_000, (n) => ({ owner: n === 0 ? "wanted" : `user${n}`, project: "shop" }));
    const pages = await pagesOf({ username: /^wanted$/, limit: 50 });
    expect(pages.flat()).toEqual([records[0]!.id]);
    expect(pages).toHaveLength(2);
    expect(await sessions.getSessionInfo({ username: /^wanted$/ })).toHaveLength(1);
    // Bounded too where the store itself filters, but has no index for it.
    expect((await pagesOf({ project: "forum", limit: 50 })).flat()).toEqual([]);
  });

  it.each<[string, object]>([
    ["an unknown filter", { user: "alice" }],
    ["a limit of 0", { limit: 0 }],
    ["a limit of 1.5", { limit: 1.5 }],
    ["a scope that is a number", { scope: 5 }],
    ["live that is a text", { live: "false" }],
    ["a cursor of another making", { after: "live.tampered" }],
    ["a cursor of what is over, for live ones", { after: `ended.${"a".repeat(43)}` }],
    ["a cursor of live ones, for what is over", { after: `live.${"a".repeat(43)}`, live: false }],
    ["an empty cursor", { after: "" }],
  ])("refuses %s with SESSION_ARGUMENT", async (_, filter) => {
    await expect(sessions.getSessionInfo(filter)).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    await expect(eachOf(filter)).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
  });

  it("asks isAuthorized of each live session as it is read, and rejects with what that throws", async () => {
    await fill(3, (n) => ({ owner: n === 0 ? "__guest__" : `user${n}` }));
    expect((await sessions.getSessionInfo()).map(({ username, authorized }) => [username, authorized]).sort()).toEqual([
      ["Unauthenticated", false],
      ["user1", true],
      ["user2", true],
    ]);
    const options = { store, clearSchedule: false, storeTimeout: "20s", now: () => now } as const;
    const asking = new Sessions({ ...options, isAuthorized: async ({ username }) => username === "user2" });
    const told = (await asking.getSessionInfo()).filter(({ authorized }) => authorized);
    expect(told.map(({ username }) => username)).toEqual(["user2"]);
    const failing = new Sessions({ ...options, isAuthorized: () => Promise.reject(new Error("down")) });
    await expect(failing.getSessionInfo()).rejects.toThrow("down");
  });

  it("refuses any answer of isAuthorized but true and false", async () => {
    await fill(1, () => ({ owner: "alice" }));
    const lookup = (() => ({ passwordHash: "s3cret" })) as unknown as () => boolean;
    const asking = new Sessions({ store, clearSchedule: false, storeTimeout: "20s", isAuthorized: lookup });
    await expect(asking.getSessionInfo()).rejects.toMatchObject({
      code: "SESSION_CONFIG",
      message: "Option isAuthorized: its function must return true or false, not object.",
    });
  });

  it("counts live sessions of all projects by group", async () => {
    await fill(5, (n) => ({ owner: n < 3 ? `user${n}` : "__guest__", project: "shop", scope: "ios" }));
    const tallies = [...(await sessions.tally())].sort((a, b) => a.live - b.live);
    expect(tallies).toEqual([
      { project: "shop", scope: "ios", isGuest: true, live: 2 },
      { project: "shop", scope: "ios", isGuest: false, live: 3 },
    ]);
  });
});

describeOnEveryStore("getSessionInfo among many", (every) => {
  const MANY = {
    MemoryStore: 2_000,
    SqliteStore: howMany(10_000, 100_000),
    DatastoreStore: howMany(1_000, 5_000),
    PostgresStore: howMany(2_000, 20_000),
    RedisStore: 2_000,
  }[every.name];

  it("reads a user's sessions and a first page without the others, and counts without reading", async () => {
    const store = await every.open();
    const sessions = new Sessions({ store, clearSchedule: false, storeTimeout: "20s" });
    for (let n = 0; n < MANY; n += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => store.create(sessionRecord({ owner: `user${(n + i) % (MANY / 10)}` }))),
      );
    }
    const records = jest.spyOn(LiveTable.prototype, "recordOf");
    const pages = jest.spyOn(DatastoreRpc.prototype, "query");
    try {
      expect(await sessions.getSessionInfo({ username: "user7" })).toHaveLength(10);
      if (every.name === "SqliteStore") expect(records).toHaveBeenCalledTimes(10);
      expect(pages.mock.calls.every(([, filters]) => filters.length === 1)).toBe(true);
      records.mockClear();

      const page = await sessions.getSessionInfo({ limit: 50 });
      expect([page.length, typeof page.next]).toEqual([50, "string"]);
      expect(records.mock.calls.length).toBeLessThanOrEqual(51);
      for (const [, , pageSize] of pages.mock.calls.slice(1)) expect(pageSize).toBeLessThanOrEqual(51);
      records.mockClear();

      expect(await sessions.tally()).toEqual([{ project: "", scope: "browser", isGuest: false, live: MANY }]);
      expect(records).not.toHaveBeenCalled();
    } finally {
      records.mockRestore();
      pages.mockRestore();
    }
  });
});
