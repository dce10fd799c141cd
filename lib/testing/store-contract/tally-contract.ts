import { strict as assert } from "node:assert";
import type { SessionRecord } from "../../record/session-record";
import type { SessionStore } from "../../stores/store";
import { HOUR, MINUTE, liveRecord, endingOf, loaded, replaced } from "./sample-records";
import type { ContractTests } from "./store-contract";

/** How many tallies count a session that is replaced all the time. */
const TALLIES = 20;

export function tallyContract({ describe, it }: ContractTests): void {
  describe("tally", () => {
    const counted = async (store: SessionStore, now: number) =>
      Object.fromEntries(
        (await store.tally(now)).map(({ project, scope, isGuest, live }) => [
          [project, scope, isGuest ? "guest" : "user"].join("|"),
          live,
        ]),
      );

    it("counts live sessions by project, scope and whether they are guests'", async (store, clock) => {
      assert.deepEqual(await counted(store, clock.now), {});
      const groups: Partial<SessionRecord>[] = [
        { owner: "alice", project: "shop" },
        { owner: "bob", project: "shop" },
        { project: "shop" },
        { project: "shop", scope: "ios" },
        { project: "shop-2" },
        { project: "" },
        { project: "", scope: "a|b%\u0000🍵" },
      ];
      const records = groups.flatMap((fields) => [liveRecord(fields), liveRecord(fields), liveRecord(fields)]);
      for (const record of records) await store.create(record);
      assert.deepEqual(await counted(store, clock.now), {
        "shop|browser|user": 6,
        "shop|browser|guest": 3,
        "shop|ios|guest": 3,
        "shop-2|browser|guest": 3,
        "|browser|guest": 3,
        "|a|b%\u0000🍵|guest": 3,
      });
    });

    it("counts no session that was ended, replaced or cleared", async (store, clock) => {
      const [ended, replaced, cleared] = [liveRecord(), liveRecord(), liveRecord({ purgeAt: clock.now - HOUR })];
      for (const record of [ended, replaced, cleared]) await store.create(record);
      assert.deepEqual(await counted(store, clock.now), { "|browser|guest": 3 });
      await store.end(ended.id, endingOf(ended));
      await store.replace(replaced.id, endingOf(replaced, "login"), liveRecord({ owner: "alice" }));
      assert.equal(await store.clear(clock.now), 1);
      assert.deepEqual(await counted(store, clock.now), { "|browser|user": 1 });
    });

    it("P2: overlooks no session that is replaced meanwhile", async (store, clock) => {
      let live = liveRecord();
      await store.create(live);
      let isOver = false;
      const replacing = async () => {
        while (!isOver) live = await replaced(store, live);
      };
      const counting = async () => {
        try {
          for (let n = 0; n < TALLIES; n += 1) assert.equal((await counted(store, clock.now))["|browser|guest"], 1);
        } finally {
          isOver = true;
        }
      };
      await Promise.all([replacing(), counting()]);
    });

    it("P8: counts none that expired over ten minutes ago, and all that have not", async (store, clock) => {
      const { now } = clock;
      const passing = { endsAt: now + 9 * HOUR, purgeAt: now + 30 * HOUR };
      const renewed = liveRecord({ owner: "alice", expiresAt: now + HOUR, ...passing });
      await store.create(renewed);
      await store.create(liveRecord({ owner: "alice", expiresAt: now + HOUR, ...passing }));
      await store.create(liveRecord({ idleMs: Infinity, endsAt: Infinity, expiresAt: Infinity, purgeAt: Infinity }));
      assert.deepEqual(await counted(store, now + HOUR - 1), { "|browser|user": 2, "|browser|guest": 1 });
      const touch = { lastSeenAt: now + HOUR, expiresAt: now + 2 * HOUR, purgeAt: now + 26 * HOUR };
      await store.update(renewed.id, { ...touch, group: { project: "", scope: "browser", isGuest: false } });
      assert.deepEqual(await counted(store, now + HOUR + 10 * MINUTE), { "|browser|user": 1, "|browser|guest": 1 });
      assert.deepEqual(await counted(store, now + 99 * HOUR), { "|browser|guest": 1 });
      assert.equal(Object.hasOwn((await loaded(store, renewed.id)) as object, "group"), false);
    });

    it("counts a session for its new owner", async (store, clock) => {
      const record = liveRecord();
      await store.create(record);
      await store.mutate(record.id, () => ({ owner: "alice" }));
      assert.deepEqual(await counted(store, clock.now), { "|browser|user": 1 });
      await store.end(record.id, endingOf(record));
      assert.deepEqual(await counted(store, clock.now), {});
    });
  });
}
