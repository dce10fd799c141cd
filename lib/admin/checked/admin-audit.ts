/** The calls of a `SessionAdmin`. */
export type AdminAction =
  | "enter"
  | "get"
  | "verify"
  | "list"
  | "export"
  | "lately"
  | "describe"
  | "tally"
  | "kill"
  | "killByUser"
  | "killOthers"
  | "killAll"
  | "renew";

/** One call of a `SessionAdmin`, as the option `audit` receives it. It contains no token and no value of a session. */
export interface AuditEntry {
  /** When the call was made. */
  readonly at: Date;
  /** The same for all calls of one request. */
  readonly correlationId: string;
  /** The app that made the call. */
  readonly app: string;
  /** The owner of the acting session, whoever it acts for; null where nobody is signed in. */
  readonly actor: string | null;
  /**
   * The user acted for, from the user context: usually the actor; `GUEST_USER` for nobody; absent outside any context.
   */
  readonly actingFor?: string;
  /** The address that the request came from; `""` where it is unknown. */
  readonly remoteAddress: string;
  /** Which call it was. */
  readonly action: AdminAction;
  /** The id of the session that the call is about; null for none or several. */
  readonly target: string | null;
  /** Whose sessions the call is about, as far as that is known. */
  readonly targetUser: string | null;
  /** Whether it was allowed and succeeded, was refused, or was allowed and failed. */
  readonly result: "allowed" | "refused" | "failed";
  /** Why it was refused or failed; null where it was allowed. */
  readonly reason: string | null;
  /** How many sessions it ended; absent for calls that end none. */
  readonly ended?: number;
  /** It failed before it had ended all: others are still live. Absent otherwise. */
  readonly unfinished?: true;
}

/** Receives the entries. Nothing waits for it; what it throws or rejects with is emitted as `error`. */
export type AuditSink = (entry: AuditEntry) => unknown;

/** Hands over an entry. Never throws. */
export function record(sink: AuditSink | undefined, entry: AuditEntry, onError: (error: unknown) => void): void {
  if (sink !== undefined) void handOver(sink, entry).catch(onError);
}

async function handOver(sink: AuditSink, entry: AuditEntry): Promise<void> {
  await sink(Object.freeze(entry));
}
