import type { SessionError } from "../../lib/errors";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { sessionRecord } from "./session-records";

/** A process whose files can't grow beyond a limit, which takes writing to it as it would a full disk; prints what came of it. */
let unhandled = 0;
process.on("unhandledRejection", () => (unhandled += 1));

async function fillUp() {
  const store = new LmdbStore({ path: process.argv[2]! });
  const acknowledged: string[] = [];
  const failures: SessionError[] = [];
  while (failures.length < 20) {
    const batch = Array.from({ length: 10 }, () => sessionRecord({ userAgent: "x".repeat(3000) }));
    const results = await Promise.allSettled(batch.map((record) => store.create(record)));
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") acknowledged.push(batch[index]!.id);
      else failures.push(result.reason as SessionError);
    }
  }
  const ended = await store.end(acknowledged[0]!, { endedAt: 1, purgeAt: 0, reason: "killed", endedBy: null });
  const lastFailure = store.create(sessionRecord({ userAgent: "x".repeat(1_000_000) })).catch(() => "rejected");
  await lastFailure;
  const acknowledgedAreThere = acknowledged.slice(1).every((id) => store.load(id) !== undefined);
  await store.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    rejected: [...new Set(failures.map(({ code }) => code))],
    message: failures[0]!.message,
    acknowledgedAreThere,
    smallWrite: ended,
    unhandled,
    closed: true,
  };
}

void fillUp().then((answer) => console.log(JSON.stringify(answer)));
