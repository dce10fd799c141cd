import type { SessionInfo } from "../../admin/listing/session-info";
import type { Sessions } from "../../sessions";
import { PROJECT_OPTION, USER_OPTION } from "../command-arguments";
import type { CommandArguments } from "../command-arguments";
import type { CommandOptions } from "../parsed-arguments";
import { UsageError } from "../usage-error";
import { SORT_KEYS, sortedSessions } from "./session-order";
import type { SortKey } from "./session-order";

export const NO_SESSIONS = "There are no such sessions.";

/** The options of the commands that list sessions: which, and in what order. */
export const LISTING_OPTIONS = {
  user: USER_OPTION,
  project: PROJECT_OPTION,
  sort: {
    type: "string",
    value: "COLUMN",
    values: SORT_KEYS,
    help: `by ${SORT_KEYS.join(", ")}; times with the latest first`,
  },
  newest: { type: "boolean", help: "the newest first: short for --sort created" },
} as const satisfies CommandOptions;

/** Which sessions are listed, how many and in what order. */
export interface Listing {
  readonly state: "live" | "ended";
  /** As `SessionInfo` names it; undefined for everyone. */
  readonly username: string | undefined;
  readonly project: string | undefined;
  readonly sort: SortKey | undefined;
  readonly limit: number | undefined;
  /** Ends the reading with an error. */
  readonly stopped?: AbortSignal;
}

/** What the options ask for. Throws `UsageError` where they contradict each other. */
export function listingOf(args: CommandArguments, state: Listing["state"], limit?: number): Listing {
  const sort = args.text("sort") as SortKey | undefined;
  if (sort !== undefined && args.flag("newest")) throw new UsageError("Give --sort or --newest, not both.");
  if (sort === "ended" && state === "live")
    throw new UsageError("--sort ended is for sessions that ended: add --ended.");
  return {
    ...{ state, limit, sort: args.flag("newest") ? "created" : sort },
    ...{ username: args.username(), project: args.text("project") },
  };
}

/** Sessions as they are read; all of them are read before the first where an order is asked for. */
export async function* listedSessions(sessions: Sessions, listing: Listing): AsyncGenerator<SessionInfo> {
  const { state, username, project, sort, limit, stopped } = listing;
  const filter = {
    live: state === "live",
    ...(username === undefined ? {} : { username }),
    ...(project === undefined ? {} : { project }),
    ...(limit === undefined || sort !== undefined ? {} : { limit }),
  };
  const found = unlessStopped(sessions.eachSessionInfo(filter), stopped);
  yield* sort === undefined ? found : await sortedSessions(found, sort, limit);
}

async function* unlessStopped(sessions: AsyncIterable<SessionInfo>, stopped: AbortSignal | undefined) {
  for await (const info of sessions) {
    stopped?.throwIfAborted();
    yield info;
  }
}
