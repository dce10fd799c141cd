import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { idsOf } from "../../../lib/testing/store-contract/sample-records";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { commandLine } from "../../support/command-line";
import { howMany } from "../../support/how-many";
import { killed, sessionRecord } from "../../support/session-records";
import { describeOnEveryTarget, sizeOf, startCopy } from "./copying-process";
import { assertEqualIn } from "./strange-sessions";

const cli = commandLine();
/** Each test starts several processes, one after the other. */
const TIMEOUT_MS = 120_000;
const COUNT = howMany(400, 4_000);

describeOnEveryTarget("a copy that is killed at any moment", cli, (target) => {
  it(
    "goes on in the next run: nothing is lost, and nothing is live that has ended",
    async () => {
      const { address, store } = target();
      const source = new SqliteStore({ path: join(cli.folder(), "old") });
      const records = Array.from({ length: COUNT }, () => sessionRecord({ owner: "alice" }));
      await Promise.all(records.map((record) => source.create(record)));
      const ids = records.map(({ id }) => id);
      await Promise.all(ids.slice(0, COUNT / 10).map((id) => source.end(id, killed())));
      let killedInTheMiddle = 0;
      for (const part of [1 / COUNT, 0.3, 0.6]) {
        const { child, ended } = startCopy(cli, "sqlite:old", address);
        while ((await sizeOf(store)) < COUNT * part && child.exitCode === null) await setImmediate();
        child.kill("SIGKILL");
        if ((await ended)[1] === "SIGKILL") killedInTheMiddle += 1;
        // What was copied ends in the source, with a trace and without, and what is left changes.
        const [traced, traceless, changed] = (await idsOf(store, { state: "live" })).slice(-3);
        if (traced !== undefined) await source.end(traced, killed());
        if (traceless !== undefined) await source.end(traceless, { ...killed(), purgeAt: 0 });
        if (changed !== undefined) await source.update(changed, { data: { set: { n: String(part) } } });
      }
      expect(killedInTheMiddle).toBeGreaterThanOrEqual(2);
      const { code, stderr } = await cli.run(["copy", "--from", "sqlite:old", "--to", address]);
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("session ")]);
      const live = await idsOf(source, { state: "live" });
      expect(await idsOf(store, { state: "live" })).toEqual(live);
      await assertEqualIn(source, store, live);
      expect(await idsOf(store, { state: "ended" })).toEqual(
        expect.arrayContaining(await idsOf(source, { state: "ended" })),
      );
      await source.close();
    },
    TIMEOUT_MS,
  );

  it(
    "made twice at once, in two processes, does no harm",
    async () => {
      const { address, store } = target();
      const source = new SqliteStore({ path: join(cli.folder(), "old") });
      const records = Array.from({ length: 300 }, () => sessionRecord({ owner: "alice" }));
      await Promise.all(records.map((record) => source.create(record)));
      const copies = [0, 1].map(() => startCopy(cli, "sqlite:old", address));
      while ((await sizeOf(store)) < 20) await setImmediate();
      for (const { id } of records.slice(0, 20)) await source.end(id, killed());
      for (const { id } of records.slice(20, 40)) await source.update(id, { data: { set: { n: "1" } } });
      for (const { ended } of copies) expect(await ended).toEqual([0, null]);
      expect((await startCopy(cli, "sqlite:old", address).ended)[0]).toBe(0);
      expect(await idsOf(store, { state: "live" })).toEqual(await idsOf(source, { state: "live" }));
      await assertEqualIn(
        source,
        store,
        records.map(({ id }) => id),
      );
      await source.close();
    },
    TIMEOUT_MS,
  );
});
