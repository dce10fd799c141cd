import { deviceName } from "../../admin/listing/device-name";
import type { OtherClientInfo, SessionDescription, SessionInfo } from "../../admin/listing/session-info";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS } from "../command-arguments";
import { agoText, instantText, partLines, sessionJson, tableLines } from "../printed-text";
import { withSessions } from "../with-sessions";
import { UsageError } from "../usage-error";

const PAGE_HEADER = ["PAGE", "TITLE", "OPEN SINCE", "LAST SEEN"];

/** `coatcheck show <id>`: shows one session, live or lately ended. */
export const show: Command = {
  summary: "shows one session, live or lately ended",
  operands: "<id>",
  options: COMMON_OPTIONS,
  async run({ args, output }) {
    const [id, ...others] = args.sessionIds();
    if (id === undefined || others.length > 0) throw new UsageError("coatcheck show takes the id of one session.");
    return withSessions(args, async (sessions) => {
      const { info, pages } = await sessions.describeSession(id);
      await output.line(args.flag("json") ? sessionJson(info, { pages }) : partLines(partsOf(info)));
      if (args.flag("json") || pages.length === 0) return EXIT_CODE.ok;
      await output.line("");
      await output.lines(tableLines(PAGE_HEADER, rowsOf(pages)));
      return EXIT_CODE.ok;
    });
  },
};

async function* rowsOf(pages: SessionDescription["pages"]): AsyncGenerator<string[]> {
  for (const { path, title, openedAt, seenAt } of pages) {
    yield [path, title, instantText(openedAt), instantText(seenAt)];
  }
}

function otherClientText({ clientAddress, userAgent }: OtherClientInfo): string {
  return [clientAddress, deviceName(userAgent)].filter(Boolean).join(", ");
}

/** What each line says; null where it does not apply to this session. */
function partsOf(info: SessionInfo): Record<string, string | number | null> {
  const isLive = info.endedAt === null;
  return {
    id: info.id,
    user: info.username,
    project: info.project,
    scope: info.sessionScope,
    address: info.clientAddress,
    device: deviceName(info.userAgent),
    "user agent": info.userAgent,
    "also used from": info.otherClient && otherClientText(info.otherClient),
    created: instantText(info.createdAt),
    "last seen": `${instantText(info.lastSeenAt)} (${agoText(info.lastComm)})`,
    expires: isLive ? (info.expiresAt === null ? "never" : instantText(info.expiresAt)) : null,
    ended: isLive ? null : instantText(info.endedAt),
    reason: info.endReason,
    "ended by": info.endedBy,
    message: info.endMessage,
    "bytes sent": info.totalBytesSent,
    "open pages": isLive ? info.activePages : null,
  };
}
