import type { AuditEntry } from "../../lib/admin/checked/admin-audit";
import type { SessionAdmin } from "../../lib/admin/checked/session-admin";
import { Sessions } from "../../lib/sessions";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";
import type { Operation } from "../support/faulty-store";
import { sessionRecord } from "../support/session-records";

const MANY = 50;
const BEFORE_IT_FAILS = 20;

describeOnEveryStore("a kill that fails in the middle", (every) => {
  let store: FaultyStore;
  let sessions: Sessions;
  let entries: AuditEntry[];
  let acting: { id: string };

  beforeEach(async () => {
    store = new FaultyStore(await every.open());
    entries = [];
    sessions = new Sessions({
      ...{ store, clearSchedule: false, storeTimeout: "20s", isSuperUser: () => true },
      audit: (entry) => entries.push(entry),
    });
    acting = sessionRecord({ owner: "root" });
    await store.create(sessionRecord({ ...acting }));
    await Promise.all(Array.from({ length: MANY }, () => store.create(sessionRecord({ owner: "alice" }))));
  });

  afterEach(async () => {
    store.pause = undefined;
    await sessions.close();
  });

  /** From the call of this number on, the store does not do it. */
  function failFrom(operation: Operation, number: number): void {
    let calls = 0;
    store.pause = (asked, moment) => {
      if (asked !== operation || moment !== "before" || (calls += 1) < number) return undefined;
      return Promise.reject(new Error("the line is down"));
    };
  }

  const left = async () => (await sessions.getSessionInfo({ username: "alice" })).length;
  const told = { code: "SESSION_STORE", ended: BEFORE_IT_FAILS };

  it.each([
    ["killSessionByUser", () => sessions.killSessionByUser("alice")],
    ["killAllSessions", () => sessions.killAllSessions()],
    ["killOthers", () => sessions.killOthers(acting as never)],
  ])("P7: %s says how many were ended, and that others are not", async (name, kill) => {
    if (name === "killOthers") Object.assign(acting, { owner: "alice" });
    failFrom("end", BEFORE_IT_FAILS + 1);
    await expect(kill()).rejects.toMatchObject({
      ...told,
      message: expect.stringMatching(/^20 sessions were ended, .* others are still live; call it again\. /),
    });
    store.pause = undefined;
    expect(await sessions.killAllSessions()).toBe(MANY - BEFORE_IT_FAILS + 1);
  });

  it("P7: where it is the query that fails, what was ended meanwhile is counted", async () => {
    // The first query finds them, and the second one would tell that there are no more.
    failFrom("find", 2);
    await expect(sessions.killSessionByUser("alice")).rejects.toMatchObject({ code: "SESSION_STORE", ended: MANY });
    store.pause = undefined;
    expect(await left()).toBe(0);
  });

  it("P7: where nothing was ended it says so", async () => {
    failFrom("end", 1);
    await expect(sessions.killSessionByUser("alice")).rejects.toMatchObject({ code: "SESSION_STORE", ended: 0 });
  });

  it.each([
    ["killByUser", (admin: SessionAdmin) => admin.killByUser("alice")],
    ["killAll", (admin: SessionAdmin) => admin.killAll({ keepMine: true })],
  ])("P7: so does the audit's entry of %s", async (action, kill) => {
    failFrom("end", BEFORE_IT_FAILS + 1);
    await expect(kill(sessions.admin({ session: acting }))).rejects.toMatchObject(told);
    store.pause = undefined;
    const known = { action, result: "failed", reason: "SESSION_STORE" };
    expect(entries).toMatchObject([{ ...known, ended: BEFORE_IT_FAILS, unfinished: true }]);
    expect(await kill(sessions.admin({ session: acting }))).toBe(MANY - BEFORE_IT_FAILS);
    expect(entries[1]).toMatchObject({ action, result: "allowed", ended: MANY - BEFORE_IT_FAILS });
    expect(entries[1]).not.toHaveProperty("unfinished");
  });
});
