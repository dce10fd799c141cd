import type { AuditEntry } from "coatcheck";

const MOST_KEPT = 1_000;
/** What an open console does again every few seconds, to be up to date. */
const VIEWS: ReadonlySet<string> = new Set(["enter", "list", "lately", "tally"]);

/** What admins did lately; a real shop writes this where nobody can change it. */
export class AuditLog {
  readonly #entries: AuditEntry[] = [];

  readonly note = (entry: AuditEntry): void => {
    if (VIEWS.has(entry.action) && entry.result === "allowed") return;
    this.#entries.push(entry);
    if (this.#entries.length > MOST_KEPT) this.#entries.shift();
  };

  /** The entries about this session. */
  readonly about = (sessionId: string): AuditEntry[] => this.#entries.filter(({ target }) => target === sessionId);
}
