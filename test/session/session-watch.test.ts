import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionRecord } from "../../lib/record/session-record";
import { SessionWatch } from "../../lib/session/session-watch";
import { sessionRecord } from "../support/session-records";

/** A watch of records that a store has at once, and how many were loaded in each turn of the event loop. */
function watchOf(records: Map<string, SessionRecord>) {
  const turns: number[] = [];
  let isSameTurn = false;
  const load = (id: string) => {
    if (!isSameTurn) {
      turns.push(0);
      isSameTurn = true;
      setImmediate(() => (isSameTurn = false));
    }
    turns[turns.length - 1]! += 1;
    return records.get(id);
  };
  const watch = new SessionWatch({ load, now: Date.now, intervalMs: 3_600_000, runOutside: (run) => run() });
  return { watch, turns };
}

function records(count: number): Map<string, SessionRecord> {
  return new Map(Array.from({ length: count }, () => sessionRecord()).map((record) => [record.id, record]));
}

describe("a watch of sessions", () => {
  it("checks a thousand in one turn of the event loop, and more in more, so that requests come in between", async () => {
    const some = records(2_500);
    const { watch, turns } = watchOf(some);
    const ended: string[] = [];
    for (const id of some.keys()) watch.watch(id, { onEnded: () => ended.push(id) });
    await watch.check();
    expect(turns).toEqual([1_000, 1_000, 500]);
    expect(ended).toEqual([]);
    const [first] = some.keys();
    some.delete(first!);
    await watch.check();
    expect(ended).toEqual([first]);
    expect(watch.size).toBe(2_499);
    watch.stop();
  });

  it("asks once for a session that many watch, and not at all for one that nobody does any more", async () => {
    const some = records(2);
    const { watch, turns } = watchOf(some);
    const [one, two] = [...some.keys()] as [string, string];
    const stop = [one, one, two].map((id) => watch.watch(id, { onEnded: () => undefined }));
    await watch.check();
    stop[2]!();
    await nextTurn();
    await watch.check();
    expect(turns).toEqual([2, 1]);
    watch.stop();
  });

  it("asks for no more once it is stopped", async () => {
    const some = records(1_001);
    const { watch, turns } = watchOf(some);
    for (const id of some.keys()) watch.watch(id, { onEnded: () => undefined });
    const checking = watch.check();
    watch.stop();
    await checking;
    expect(turns).toEqual([1_000]);
  });
});
