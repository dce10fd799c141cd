import { NewerFormatError, RECORD_VERSION } from "../../../record/session-record";
import type { EndedRecord, EndReason } from "../../../record/session-record";
import type { Database, Row } from "../file/driver";
import { damaged, textOf } from "./record-columns";
import { SessionTable } from "./session-table";

/** The table of ended sessions. */
export class EndedTable extends SessionTable<EndedRecord> {
  constructor(db: Database) {
    super(db, "ended", { header: ["*"], forgotten: ["number"] });
  }

  override recordOf(row: Row): EndedRecord {
    const id = String(row.id);
    if (Number(row.format) > RECORD_VERSION) throw new NewerFormatError(id, Number(row.format));
    try {
      return {
        v: RECORD_VERSION,
        id,
        owner: textOf(row.owner),
        project: textOf(row.project),
        scope: textOf(row.scope),
        createdAt: Number(row.created_at),
        lastSeenAt: Number(row.last_seen_at),
        remoteAddress: textOf(row.remote_address),
        userAgent: textOf(row.user_agent),
        endedAt: Number(row.ended_at),
        reason: textOf(row.reason) as EndReason,
        endedBy: row.ended_by === null ? null : textOf(row.ended_by),
        purgeAt: Number(row.purge_at),
        ...(row.message === null ? undefined : { message: textOf(row.message) }),
        ...(row.bytes_sent === null ? undefined : { bytesSent: Number(row.bytes_sent) }),
      };
    } catch (cause) {
      throw damaged(id, cause);
    }
  }

  protected override forget(): void {
    // Ended sessions are counted nowhere, and not kept in memory.
  }
}
