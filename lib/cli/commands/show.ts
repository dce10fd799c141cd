import { deviceName } from "../../admin/listing/device-name";
import type { SessionInfo } from "../../admin/listing/session-info";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS, UsageError } from "../command-arguments";
import { agoText, instantText, partLines, sessionJson } from "../printed-text";
import { withSessions } from "../with-sessions";

/** `coatcheck show <id>`: shows one session, live or lately ended. */
export const show: Command = {
  summary: "shows one session, live or lately ended",
  operands: "<id>",
  options: COMMON_OPTIONS,
  async run({ args, output }) {
    const [id, ...others] = args.sessionIds();
    if (id === undefined || others.length > 0) throw new UsageError("coatcheck show takes the id of one session.");
    return withSessions(args, async (sessions) => {
      const info = await sessions.getSession(id);
      await output.line(args.flag("json") ? sessionJson(info) : partLines(partsOf(info)));
      return EXIT_CODE.ok;
    });
  },
};

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
    created: instantText(info.createdAt),
    "last seen": `${instantText(info.lastSeenAt)} (${agoText(info.lastComm)})`,
    expires: isLive ? (info.expiresAt === null ? "never" : instantText(info.expiresAt)) : null,
    ended: isLive ? null : instantText(info.endedAt),
    reason: info.endReason,
    "ended by": info.endedBy,
    message: info.endMessage,
    "bytes sent": info.totalBytesSent,
  };
}
