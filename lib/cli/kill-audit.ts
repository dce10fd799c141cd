import { randomUUID } from "node:crypto";
import type { AdminAction, AuditEntry } from "../admin/checked/admin-audit";
import { SessionError } from "../errors";
import type { CommandCall } from "./command";
import { printableJson } from "./printed-text";

/** Whose sessions a kill is about. */
export interface KilledTarget {
  readonly action: Extract<AdminAction, "kill" | "killByUser" | "killAll"> | "killByProject";
  /** The id of the session; absent for several. */
  readonly target?: string;
  readonly targetUser?: string;
  readonly project?: string;
}

/** One line of the command line's audit: the fields of an `AuditEntry`, and the project that the kill is limited to. */
type AuditLine = Omit<AuditEntry, "action" | "at"> & Pick<KilledTarget, "action" | "project"> & { readonly at: string };

/** Writes a line of JSON to stderr for each kill, as the option `audit` of an app receives an entry. */
export class KillAudit {
  readonly #call: CommandCall;
  readonly #correlationId = randomUUID();

  constructor(call: CommandCall) {
    this.#call = call;
  }

  /** Resolves to what the kill resolves to, the number of sessions that it ended, once its line is written. */
  async around(about: KilledTarget, kill: () => Promise<number>): Promise<number> {
    const ended = await kill().catch(async (error: unknown) => {
      await this.failed(about, error);
      throw error;
    });
    await this.done(about, ended);
    return ended;
  }

  done(about: KilledTarget, ended: number): Promise<void> {
    return this.#write(about, { result: "allowed", reason: null, ended });
  }

  /** Nothing is written where the arguments were refused: nothing was tried then. */
  async failed(about: KilledTarget, error: unknown): Promise<void> {
    if (error instanceof SessionError && error.code === "SESSION_ARGUMENT") return;
    const { code = "an unexpected error", ended = 0 } = error instanceof SessionError ? error : {};
    const unfinished = about.action === "kill" ? {} : { unfinished: true as const };
    await this.#write(about, { result: "failed", reason: code, ended, ...unfinished });
  }

  #write(
    { action, target, targetUser, project }: KilledTarget,
    outcome: Pick<AuditEntry, "result" | "reason" | "ended" | "unfinished">,
  ): Promise<void> {
    const line: AuditLine = {
      at: new Date().toISOString(),
      correlationId: this.#correlationId,
      app: "coatcheck kill",
      actor: this.#call.args.text("by") ?? null,
      remoteAddress: "",
      action,
      target: target ?? null,
      targetUser: targetUser ?? null,
      ...(project === undefined ? {} : { project }),
      ...outcome,
    };
    return this.#call.notes.line(printableJson(line));
  }
}
