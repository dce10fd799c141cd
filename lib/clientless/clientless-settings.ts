import type { SessionPolicy } from "../session/life/session-policy";
import type { OwnContext } from "../stores/own-context";

/** What sessions without a browser work with. Durations in milliseconds. */
export interface ClientlessSettings extends SessionPolicy {
  /** How long a session outlives the process that holds it. */
  readonly leaseMs: number;
  /** How often it is asked whether a session was ended elsewhere. */
  readonly killCheckMs: number;
  /** For what is done beside the requests: it belongs to none of them. */
  readonly context: OwnContext;
  /** Something failed that nobody waits for. */
  readonly onError: (error: unknown) => void;
}
