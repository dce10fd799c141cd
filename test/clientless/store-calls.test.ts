import { setTimeout as sleep } from "node:timers/promises";
import { Sessions } from "../../lib";
import { closedGate } from "../support/gate";
import { watchedStore } from "../support/watched-store";
import type { WatchedStore } from "../support/watched-store";

const LEASE_MS = 60_000;

describe("what clientless sessions ask of the store", () => {
  let now: number;
  let watched: WatchedStore;
  let sessions: Sessions;

  beforeEach(() => {
    now = Date.now();
    watched = watchedStore();
    const { store } = watched;
    const times = { killCheckInterval: "2ms" as const, leaseTimeout: LEASE_MS, now: () => now };
    sessions = new Sessions({ store, clearSchedule: false, ...times });
  });
  afterEach(() => sessions.close());

  const untilAsked = async (method: string, times: number) => {
    while (watched.calls.filter((call) => call === method).length < times) await sleep(1);
  };

  it("is one write to open and one to end, and nothing while no task runs and no lease is held", async () => {
    const session = await sessions.openClientlessSession("alice", { data: { month: "May" } });
    await sleep(20); // ten times killCheckInterval
    expect(watched.calls).toEqual(["create"]);
    await session.close();
    expect(watched.calls).toEqual(["create", "end"]);
  });

  it("is a load now and then while a task runs, and none once it is done", async () => {
    const gate = closedGate();
    sessions.defineTask("wait", () => gate.pass());
    const session = await sessions.openClientlessSession("alice");
    session.start("wait");
    await untilAsked("load", 3);
    gate.open();
    await session.result("wait");
    await sleep(5);
    const { length } = watched.calls;
    await sleep(20);
    expect(watched.calls.slice(length)).toEqual([]);
    expect(new Set(watched.calls)).toEqual(new Set(["create", "load"]));
  });

  it("is three writes per leaseTimeout for a lease", async () => {
    await sessions.withClientlessSession("alice", async () => {
      for (let renewals = 1; renewals <= 6; renewals += 1) {
        const looks = watched.calls.filter((call) => call === "load").length;
        now += LEASE_MS / 3 - 1;
        await untilAsked("load", looks + 2);
        expect(watched.calls.filter((call) => call === "update")).toHaveLength(renewals - 1);
        now += 1;
        await untilAsked("update", renewals);
      }
    });
    expect(watched.calls.filter((call) => call !== "load")).toEqual([
      "create",
      ...Array.from({ length: 6 }, () => "update"),
      "end",
    ]);
  });
});
