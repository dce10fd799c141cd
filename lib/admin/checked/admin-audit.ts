/** What may be asked of a `SessionAdmin`. */
export type AdminAction =
  | "enter"
  | "get"
  | "verify"
  | "list"
  | "lately"
  | "describe"
  | "tally"
  | "kill"
  | "killByUser"
  | "killOthers"
  | "killAll"
  | "renew";

/** One call of a `SessionAdmin`, as the `audit` option is given it. It holds no token and no value of a session. */
export interface AuditEntry {
  readonly at: Date;
  /** The same for all calls on behalf of one request. */
  readonly correlationId: string;
  /** The app that asks. */
  readonly app: string;
  /** The user who asks, the real owner of the session that does; null where that is nobody. */
  readonly actor: string | null;
  /** The user acted for: the user context, so mostly the actor, and `GUEST_USER` for nobody; absent outside of any. */
  readonly actingFor?: string;
  readonly remoteAddress: string;
  readonly action: AdminAction;
  /** The id of the session that is asked about; null for calls about none, or about several. */
  readonly target: string | null;
  /** Whose sessions are asked about, as far as that is known. */
  readonly targetUser: string | null;
  readonly result: "allowed" | "refused" | "failed";
  /** Why it was refused or has failed; null where it was allowed. */
  readonly reason: string | null;
  /** How many sessions it has ended; absent for calls that end none. */
  readonly ended?: number;
  /** It failed before it had ended all that it was to end: others are live still. Absent otherwise. */
  readonly unfinished?: true;
}

/** Where the entries go. What it throws or rejects with is emitted as `error`, and changes nothing for the call; nothing waits for it. */
export type AuditSink = (entry: AuditEntry) => unknown;

/** Hands an entry over. It never throws. */
export function record(sink: AuditSink | undefined, entry: AuditEntry, onError: (error: unknown) => void): void {
  if (sink !== undefined) void handOver(sink, entry).catch(onError);
}

async function handOver(sink: AuditSink, entry: AuditEntry): Promise<void> {
  await sink(Object.freeze(entry));
}
