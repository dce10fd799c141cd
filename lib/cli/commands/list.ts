import { deviceName } from "../../admin/listing/device-name";
import type { SessionFilter } from "../../admin/listing/session-filter";
import type { SessionInfo } from "../../admin/listing/session-info";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS, PROJECT_OPTION, USER_OPTION } from "../command-arguments";
import type { CommandArguments } from "../command-arguments";
import { agoText, instantText, sessionJson, tableLines } from "../printed-text";
import { withSessions } from "../with-sessions";

/** A device's name may be long; `show` and --json print the whole of it. */
const MAX_DEVICE_LENGTH = 40;

type Column = readonly [title: string, cell: (info: SessionInfo) => string];

const COLUMNS: readonly Column[] = [
  ["ID", ({ id }) => id],
  ["USER", ({ username }) => username],
  ["PROJECT", ({ project }) => project],
  ["SCOPE", ({ sessionScope }) => sessionScope],
  ["ADDRESS", ({ clientAddress }) => clientAddress],
  ["DEVICE", ({ userAgent }) => shortened(deviceName(userAgent))],
  ["CREATED", ({ createdAt }) => instantText(createdAt)],
  ["LAST SEEN", ({ lastComm }) => agoText(lastComm)],
];
const LIVE_COLUMNS: readonly Column[] = [...COLUMNS, ["PAGES", ({ activePages }) => String(activePages)]];
const ENDED_COLUMNS: readonly Column[] = [
  ...COLUMNS,
  ["ENDED", ({ endedAt }) => instantText(endedAt)],
  ["REASON", ({ endReason }) => endReason ?? ""],
  ["BY", ({ endedBy }) => endedBy ?? ""],
];

/** `coatcheck list`: lists the live sessions, or those that ended lately. */
export const list: Command = {
  summary: "lists sessions",
  details: "With --json, each line is one session.",
  options: {
    user: USER_OPTION,
    project: PROJECT_OPTION,
    ended: { type: "boolean", help: "sessions that ended lately, instead of the live ones" },
    limit: { type: "string", value: "N", help: "at most this many" },
    ...COMMON_OPTIONS,
  },
  async run({ args, output, notes }) {
    args.assertNoOperands("list");
    const filter = filterOf(args);
    return withSessions(args, async (sessions) => {
      const count = await output.lines(linesOf(args, sessions.eachSessionInfo(filter)));
      if (count === 0) await notes.line("There are no such sessions.");
      return EXIT_CODE.ok;
    });
  },
};

function filterOf(args: CommandArguments): SessionFilter {
  const filter = {
    username: args.username(),
    project: args.text("project"),
    limit: args.count("limit"),
    live: !args.flag("ended"),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

function linesOf(args: CommandArguments, sessions: AsyncIterable<SessionInfo>): AsyncIterable<string> {
  if (args.flag("json")) return jsonLines(sessions);
  const columns = args.flag("ended") ? ENDED_COLUMNS : LIVE_COLUMNS;
  return tableLines(
    columns.map(([title]) => title),
    rowsOf(sessions, columns),
  );
}

async function* jsonLines(sessions: AsyncIterable<SessionInfo>): AsyncGenerator<string> {
  for await (const info of sessions) yield sessionJson(info);
}

async function* rowsOf(sessions: AsyncIterable<SessionInfo>, columns: readonly Column[]): AsyncGenerator<string[]> {
  for await (const info of sessions) yield columns.map(([, cell]) => cell(info));
}

function shortened(text: string): string {
  const chars = Array.from(text);
  return chars.length <= MAX_DEVICE_LENGTH ? text : `${chars.slice(0, MAX_DEVICE_LENGTH - 1).join("")}…`;
}
