import type { SessionInfo } from "../../admin/listing/session-info";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS } from "../command-arguments";
import { LISTING_OPTIONS, listedSessions, listingOf, NO_SESSIONS } from "../listing/listed-sessions";
import { sessionTable } from "../listing/session-columns";
import { sessionJson } from "../printed-text";
import { withSessions } from "../with-sessions";

/** `coatcheck list`: lists the live sessions, or those that ended lately. */
export const list: Command = {
  summary: "lists sessions",
  details: `With --json, each line is one session. Without --sort or --newest, sessions come in the order of their ids, the first
at once; with either, all sessions are read before the first is printed.
The exit code is 3 where a user has no sessions.`,
  options: {
    ...LISTING_OPTIONS,
    ended: { type: "boolean", help: "sessions that ended lately, instead of the live ones" },
    limit: { type: "string", value: "N", help: "at most this many" },
    ...COMMON_OPTIONS,
  },
  async run({ args, output, notes }) {
    args.assertNoOperands("list");
    const listing = listingOf(args, args.flag("ended") ? "ended" : "live", args.count("limit"));
    return withSessions(args, async (sessions) => {
      const listed = listedSessions(sessions, listing);
      const lines = args.flag("json") ? jsonLines(listed) : sessionTable(listed, listing.state);
      if ((await output.lines(lines)) > 0) return EXIT_CODE.ok;
      await notes.line(NO_SESSIONS);
      return listing.username === undefined ? EXIT_CODE.ok : EXIT_CODE.noSessions;
    });
  },
};

async function* jsonLines(sessions: AsyncIterable<SessionInfo>): AsyncGenerator<string> {
  for await (const info of sessions) yield sessionJson(info);
}
