import { SessionCopy } from "../../../lib/cli/copy/session-copy";
import { endedOf } from "../../../lib/testing/store-contract/sample-records";
import { describeOnEveryStore } from "../../support/every-store";
import { killed } from "../../support/session-records";
import { contentOf, fillStrangely } from "./strange-sessions";

/** Thousands of calls to the emulator take longer than a test usually may, where the machine is busy. */
jest.setTimeout(120_000);

const LINEAGE = 1;
const onFailure = (id: string, error: unknown) => {
  throw new Error(`${id} failed`, { cause: error });
};

describeOnEveryStore("copying", (from) => {
  describeOnEveryStore("to another store", (to) => {
    it("brings every session over as it is, once, and follows its changes and its end", async () => {
      const [source, target] = [await from.open({ now: () => 0 }), await to.open({ now: () => 0 })];
      const ids = await fillStrangely(source);
      const copy = new SessionCopy(source, target, LINEAGE);
      expect(await copy.pass({ onFailure })).toMatchObject({
        ...{ created: ids.length / 2, ended: ids.length / 2, failed: 0 },
      });
      for (const id of ids) expect(await contentOf(target, id)).toEqual(await contentOf(source, id));
      expect(copy.isSettled(await copy.pass({ onFailure }))).toBe(true);

      const [changed, ended] = [ids[5] ?? "", ids[4] ?? ""];
      const data = { set: { "a\0b": '"w"', "new '": "1" }, remove: ["__proto__", ""] };
      await source.update(changed, { data, keys: { remove: ["\\"] }, pages: { remove: [" "] }, counters: { " ": -3 } });
      await source.end(ended, killed());
      expect(await new SessionCopy(source, target, LINEAGE).pass({ onFailure })).toMatchObject({
        updated: 1,
        ended: 1,
      });
      for (const id of [changed, ended]) expect(await contentOf(target, id)).toEqual(await contentOf(source, id));
      expect(await endedOf(target, ended)).toBeDefined();
    });
  });
});
