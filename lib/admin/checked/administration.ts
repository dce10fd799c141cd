import type { SessionRecord } from "../../record/session-record";
import type { SessionTally } from "../../stores/store";
import type { Kill } from "../kill";
import type { SessionReader } from "../listing/session-reader";
import type { AuditSink } from "./admin-audit";
import type { AdminRules } from "./admin-call";

/** What an administrator works with. */
export interface Administration extends AdminRules {
  readonly reader: SessionReader;
  readonly tally: () => Promise<readonly SessionTally[]>;
  readonly kill: Kill;
  /** Renews a session's idle limit, as a request of its own would. Resolves to undefined where it is over. */
  readonly renew: (id: string) => Promise<SessionRecord | undefined>;
  readonly audit: AuditSink | undefined;
  /** Turns work into a promise that the app may forget to await. */
  readonly given: <T>(work: () => Promise<T>) => Promise<T>;
  /** The user context of the running code. */
  readonly actingFor: () => string | undefined;
  readonly onError: (error: unknown) => void;
}
