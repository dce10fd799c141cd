import { unfinishedKill } from "../../admin/kill-found";
import type { KillOptions } from "../../admin/kill-options";
import type { Sessions } from "../../sessions";

/** How many sessions are ended at a time. */
const CONCURRENCY = 32;

/** Ends the sessions of a project, or of one user in it. It repeats until a whole listing finds none. Resolves to how many it ended. */
export async function killInProject(
  sessions: Sessions,
  filter: { readonly project: string; readonly username?: string },
  options: KillOptions,
): Promise<number> {
  let ended = 0;
  for (;;) {
    let found = 0;
    let ids: string[] = [];
    const kill = async () => {
      const outcomes = await Promise.allSettled(ids.map((id) => sessions.kill(id, options)));
      ended += outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value).length;
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) throw failed.reason;
      ids = [];
    };
    try {
      for await (const { id } of sessions.eachSessionInfo(filter)) {
        found += 1;
        if (ids.push(id) === CONCURRENCY) await kill();
      }
      await kill();
    } catch (error) {
      throw unfinishedKill(error, ended);
    }
    if (found === 0) return ended;
  }
}
