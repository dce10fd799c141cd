import { deviceName } from "../../admin/listing/device-name";
import type { SessionInfo } from "../../admin/listing/session-info";
import type { Command } from "../command";
import { COMMON_OPTIONS } from "../common-options";
import { EXIT_CODE } from "../exit-code";
import { agoText, instantText } from "../instant-text";
import { partLines } from "../part-lines";
import { printableJson } from "../printable";
import { sessionJson } from "../session-json";
import { UsageError } from "../usage-error";
import { withSessions } from "../with-sessions";

/** `coatcheck show <id>`: all that may be told of one session, live or lately ended. */
export const show: Command = {
  summary: "shows one session, live or lately ended",
  operands: "<id>",
  options: COMMON_OPTIONS,
  async run({ args, output }) {
    const [id, ...others] = args.sessionIds();
    if (id === undefined || others.length > 0) throw new UsageError("coatcheck show takes the id of one session.");
    return withSessions(args, async (sessions) => {
      const info = await sessions.getSession(id);
      await output.line(args.flag("json") ? printableJson(sessionJson(info)) : partLines(partsOf(info)));
      return EXIT_CODE.ok;
    });
  },
};

/** What each line says; null for one that says nothing of this session. */
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
    created: instantText(info.createdAt),
    "last seen": `${instantText(info.lastSeenAt)} (${agoText(info.lastComm)})`,
    expires: isLive ? (info.expiresAt === null ? "never" : instantText(info.expiresAt)) : null,
    ended: isLive ? null : instantText(info.endedAt),
    reason: info.endReason,
    "ended by": info.endedBy,
    message: info.endMessage,
    "open pages": isLive ? info.activePages : null,
    "bytes sent": info.totalBytesSent,
  };
}
