import { deviceName } from "../../admin/listing/device-name";
import type { SessionInfo } from "../../admin/listing/session-info";
import { agoText, instantText, tableLines } from "../printed-text";

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

/** Sessions as the lines of a table. */
export function sessionTable(sessions: AsyncIterable<SessionInfo>, state: "live" | "ended"): AsyncIterable<string> {
  const columns = state === "live" ? LIVE_COLUMNS : ENDED_COLUMNS;
  return tableLines(
    columns.map(([title]) => title),
    rowsOf(sessions, columns),
  );
}

async function* rowsOf(sessions: AsyncIterable<SessionInfo>, columns: readonly Column[]): AsyncGenerator<string[]> {
  for await (const info of sessions) yield columns.map(([, cell]) => cell(info));
}

function shortened(text: string): string {
  const chars = Array.from(text);
  return chars.length <= MAX_DEVICE_LENGTH ? text : `${chars.slice(0, MAX_DEVICE_LENGTH - 1).join("")}…`;
}
