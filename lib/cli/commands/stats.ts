import type { SessionTally } from "../../stores/store";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS, PROJECT_OPTION } from "../command-arguments";
import { printableJson, tableLines } from "../printed-text";
import { withSessions } from "../with-sessions";

const HEADER = ["PROJECT", "SCOPE", "SIGNED IN", "GUESTS", "LIVE"];

/** How many sessions are live, in one scope of one project or altogether. */
interface Count {
  live: number;
  signedIn: number;
  guests: number;
}

interface GroupCount extends Count {
  readonly project: string;
  readonly scope: string;
}

/** `coatcheck stats`: counts the live sessions; the store does it without reading them. */
export const stats: Command = {
  summary: "counts live sessions by project and scope, signed in and guests",
  details: "Sessions that expired in the last ten minutes may still be counted.",
  options: { project: PROJECT_OPTION, ...COMMON_OPTIONS },
  async run({ args, output }) {
    args.assertNoOperands("stats");
    return withSessions(args, async (sessions) => {
      const project = args.text("project");
      const tallies = (await sessions.tally()).filter((tally) => (project ?? tally.project) === tally.project);
      const groups = groupsOf(tallies);
      const total = totalOf(tallies);
      if (args.flag("json")) await output.line(printableJson({ ...total, groups }));
      else await output.lines(tableLines(HEADER, rowsOf(groups, total)));
      return EXIT_CODE.ok;
    });
  },
};

/** The counts by project and scope, in the order of their names. */
function groupsOf(tallies: readonly SessionTally[]): GroupCount[] {
  const byName = new Map<string, SessionTally[]>();
  for (const tally of tallies) {
    const name = JSON.stringify([tally.project, tally.scope]);
    byName.set(name, [...(byName.get(name) ?? []), tally]);
  }
  return [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, [first, ...others]]) =>
      first === undefined ? [] : [{ project: first.project, scope: first.scope, ...totalOf([first, ...others]) }],
    );
}

function totalOf(tallies: readonly SessionTally[]): Count {
  const total: Count = { live: 0, signedIn: 0, guests: 0 };
  for (const { live, isGuest } of tallies) {
    total.live += live;
    total[isGuest ? "guests" : "signedIn"] += live;
  }
  return total;
}

async function* rowsOf(groups: readonly GroupCount[], total: Count): AsyncGenerator<string[]> {
  for (const group of groups) yield [group.project, group.scope, ...numbersOf(group)];
  yield ["all", "", ...numbersOf(total)];
}

function numbersOf({ signedIn, guests, live }: Count): string[] {
  return [signedIn, guests, live].map(String);
}
