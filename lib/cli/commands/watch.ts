import { setTimeout as pause } from "node:timers/promises";
import type { Sessions } from "../../sessions";
import { EXIT_CODE } from "../command";
import type { Command, CommandCall } from "../command";
import { COMMON_OPTIONS } from "../command-arguments";
import { LISTING_OPTIONS, listedSessions, listingOf, NO_SESSIONS } from "../listing/listed-sessions";
import type { Listing } from "../listing/listed-sessions";
import { sessionTable } from "../listing/session-columns";
import { instantText, printable, printableJson, sessionJson } from "../printed-text";
import { withSessions } from "../with-sessions";
import { LiveChanges } from "../watch/live-changes";
import type { LiveChange } from "../watch/live-changes";
import { LiveScreen } from "../watch/live-screen";
import { untilStopped } from "../watch/until-stopped";

/** In seconds. */
const PAUSE = 2;
/** The lines around the table: the one above, the empty one, its header, and the one below. */
const OTHER_LINES = 4;

/** `coatcheck watch`: a list of the live sessions that updates itself. */
export const watch: Command = {
  summary: "shows the live sessions, and updates the list until q or Ctrl-C is pressed",
  details: `It shows as many as the terminal has lines for. Where the output is not a terminal, and with --json, it prints a line
for each session that is live, and then one for each that comes ("live") or is gone ("over").`,
  options: {
    ...LISTING_OPTIONS,
    every: { type: "string", value: "SECONDS", help: `how long it waits between two readings; ${PAUSE} by default` },
    ...COMMON_OPTIONS,
  },
  async run(call) {
    const { args, streams } = call;
    args.assertNoOperands("watch");
    const listing = listingOf(args, "live");
    const pauseMs = (args.count("every") ?? PAUSE) * 1_000;
    const isScreen = streams.stdout.isTTY === true && !args.flag("json");
    await withSessions(args, (sessions, place) =>
      untilStopped(streams, async (stopped) => {
        const show = isScreen ? screen(call, sessions, place) : changes(call, sessions);
        try {
          do await show.reading({ ...listing, stopped });
          while (await passed(pauseMs, stopped));
        } catch (error) {
          if (!stopped.aborted) throw error;
        } finally {
          await show.end();
        }
      }),
    );
    return EXIT_CODE.ok;
  },
};

/** How the readings are shown. */
interface Show {
  reading(listing: Listing): Promise<void>;
  end(): Promise<void>;
}

function screen({ output, streams }: CommandCall, sessions: Sessions, place: string): Show {
  const whole = new LiveScreen(output, streams.stdout);
  let isEntered = false;
  return {
    async reading(listing) {
      const room = Math.max(1, whole.rows - OTHER_LINES);
      // One more than there is room for, which tells that there are more.
      const table = sessionTable(listedSessions(sessions, { ...listing, limit: room + 1 }), "live");
      const [header = NO_SESSIONS, ...lines] = await all(table);
      const more = lines.length > room ? ["There are more than fit here."] : [];
      const title = `Live sessions in ${printable(place)} at ${instantText(new Date())}; q quits.`;
      if (!isEntered) await whole.enter();
      isEntered = true;
      await whole.draw([title, "", header, ...lines.slice(0, room), ...more]);
    },
    end: async () => (isEntered ? whole.leave() : undefined),
  };
}

function changes({ args, output }: CommandCall, sessions: Sessions): Show {
  const live = new LiveChanges();
  const line = args.flag("json") ? changeJson : changeText;
  return {
    async reading(listing) {
      await output.lines(linesOf(live.since(listedSessions(sessions, listing)), line));
    },
    end: async () => undefined,
  };
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const read: string[] = [];
  for await (const line of lines) read.push(line);
  return read;
}

async function* linesOf(changed: AsyncIterable<LiveChange>, line: (change: LiveChange) => string) {
  for await (const change of changed) yield line(change);
}

function changeText({ event, id, username, info }: LiveChange): string {
  const more = info === undefined ? [] : [info.project, info.sessionScope, info.clientAddress];
  return [instantText(new Date()), event, id, username, ...more].map((word) => printable(word) || "-").join("  ");
}

function changeJson({ event, id, username, info }: LiveChange): string {
  const seen = { event, at: new Date() };
  return info === undefined ? printableJson({ id, username, ...seen }) : sessionJson(info, seen);
}

/** Waits. Resolves to false as soon as it is stopped. */
async function passed(pauseMs: number, stopped: AbortSignal): Promise<boolean> {
  await pause(pauseMs, undefined, { signal: stopped }).catch(() => undefined);
  return !stopped.aborted;
}
