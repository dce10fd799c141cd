import type { SessionInfo } from "../../admin/listing/session-info";

/** A session that was not there at the reading before, or is not there any more. */
export interface LiveChange {
  readonly event: "live" | "over";
  readonly id: string;
  readonly username: string;
  /** Absent once it is over. */
  readonly info?: SessionInfo;
}

/** What changes from one reading of the live sessions to the next. At the first, every session is new. */
export class LiveChanges {
  #known: ReadonlyMap<string, string> = new Map();

  /** Changes as the sessions are read; those that are over come last. */
  async *since(sessions: AsyncIterable<SessionInfo>): AsyncGenerator<LiveChange> {
    const before = this.#known;
    const now = new Map<string, string>();
    for await (const info of sessions) {
      const { id, username } = info;
      now.set(id, username);
      if (!before.has(id)) yield { event: "live", id, username, info };
    }
    this.#known = now;
    for (const [id, username] of before) if (!now.has(id)) yield { event: "over", id, username };
  }
}
