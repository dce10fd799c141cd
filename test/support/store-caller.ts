import { placeOf, storeAt } from "../../lib/options/store-by-environment";
import { Sessions } from "../../lib/sessions";

/**
 * A process with a store of its own at an address, for its parent: each message names a call, and what it resolves to
 * goes back. With `find`, that is how many sessions were found, and by how many bytes the memory in use grew at most.
 */
const store = storeAt(placeOf(process.argv[2] ?? "", "The address"), { timeoutMs: 20_000 });
const sessions = new Sessions({ store, clearSchedule: false });

const calls = {
  clear: () => store.clear(Date.now()),
  kill: async () => {
    const told: string[] = [];
    sessions.on("ended", ({ id }) => told.push(id));
    return { ended: await sessions.killAllSessions(), told };
  },
  find: findAll,
};

export type StoreCall = keyof typeof calls;

process.on("message", (call: StoreCall) => void calls[call]().then((result) => process.send?.(result)));
process.on("disconnect", () => void sessions.close().then(() => store.close()));
process.send?.("ready");

async function findAll(): Promise<{ found: number; grown: number }> {
  await store.load("a first call");
  const before = inUse();
  let [found, grown] = [0, 0];
  for await (const { id } of store.find({ state: "live" })) {
    found += Number(id !== "");
    if (found % 1_000 === 0) grown = Math.max(grown, inUse() - before);
  }
  return { found, grown };
}

function inUse(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
