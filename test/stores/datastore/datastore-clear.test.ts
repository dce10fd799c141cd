import { clearDatastore } from "../../../lib/stores/datastore/datastore-queries";
import { liveProperties } from "../../../lib/stores/datastore/entity/record-entity";
import { DatastoreRpc } from "../../../lib/stores/datastore/calls/datastore-rpc";
import { describeOnOwnEmulator, freshNamespace } from "../../support/datastore-emulator";
import { howMany } from "../../support/how-many";
import { sessionRecord } from "../../support/session-records";

const HOUR = 3_600_000;
/** Some of each shard. The emulator takes a second for a thousand, and many on a machine with much else to do. */
const DUE = howMany(600, 50_000);
const PER_COMMIT = 500;
const KIND = "session";

/** Fails once in the middle of a clearing, and counts how many commits are under way at the same time. */
class Watched extends DatastoreRpc {
  commits = 0;
  mostAtOnce = 0;
  breakAt = Infinity;
  #atOnce = 0;

  override async commit(...args: Parameters<DatastoreRpc["commit"]>) {
    this.commits += 1;
    if (this.commits === this.breakAt) throw new Error("The network is gone.");
    this.mostAtOnce = Math.max(this.mostAtOnce, (this.#atOnce += 1));
    try {
      return await super.commit(...args);
    } finally {
      this.#atOnce -= 1;
    }
  }
}

describeOnOwnEmulator("clearing Datastore", (host) => {
  it("P8: clears many in parallel groups, reports progress, and goes on where an earlier clearing failed", async () => {
    const now = Date.now();
    const rpc = new Watched({
      emulatorHost: host(),
      namespace: freshNamespace(),
      databaseId: "",
      timeoutMs: 200_000,
    });
    const insert = (purgeAt: number) => {
      const record = sessionRecord({ purgeAt });
      return { insert: { key: rpc.key(KIND, record.id), properties: liveProperties(record) } };
    };
    for (let seeded = 0; seeded < DUE; seeded += PER_COMMIT) {
      const group = Array.from({ length: Math.min(PER_COMMIT, DUE - seeded) }, () => insert(now - HOUR));
      await rpc.commit(group, "atomic");
    }
    const later = Array.from({ length: 100 }, () => insert(now + HOUR));
    await rpc.commit(later, "atomic");

    const first: number[] = [];
    rpc.breakAt = rpc.commits + 40;
    await expect(clearDatastore(rpc, [KIND], now, (cleared) => first.push(cleared))).rejects.toThrow("network");
    const before = first.at(-1) ?? 0;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(DUE);

    const second: number[] = [];
    const commits = rpc.commits;
    rpc.mostAtOnce = 0;
    expect(await clearDatastore(rpc, [KIND], now, (cleared) => second.push(cleared))).toBe(DUE - before);
    expect(second.at(-1)).toBe(DUE - before);
    expect(second).toEqual([...second].sort((a, b) => a - b));
    // 64 shards of at most two groups each; some of several are under way at once.
    expect(rpc.commits - commits).toBeLessThanOrEqual(64 * 2);
    expect(rpc.mostAtOnce).toBeGreaterThan(1);

    let left = 0;
    for await (const page of rpc.query(KIND, [], PER_COMMIT)) left += page.length;
    expect(left).toBe(later.length);
    await rpc.close();
  });
});
