import type { KillOptions } from "../admin/kill-options";
import type { Sessions } from "../sessions";

/** How many sessions are ended at a time. */
const CONCURRENCY = 32;

/** Ends the sessions of a project, or of one user in it. It repeats until a whole listing finds none. Resolves to how many it ended. */
export async function killInProject(
  sessions: Sessions,
  filter: { readonly project: string; readonly username?: string },
  options: KillOptions,
): Promise<number> {
  for (let ended = 0; ;) {
    let found = 0;
    let ids: string[] = [];
    const kill = async () => {
      const killed = await Promise.all(ids.map((id) => sessions.kill(id, options)));
      ended += killed.filter(Boolean).length;
      ids = [];
    };
    for await (const { id } of sessions.eachSessionInfo(filter)) {
      found += 1;
      if (ids.push(id) === CONCURRENCY) await kill();
    }
    await kill();
    if (found === 0) return ended;
  }
}
