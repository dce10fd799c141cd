import type { AuditEntry } from "coatcheck";

const MOST_KEPT = 1_000;

/** What admins have done lately; a real shop writes it where nobody can change it. */
export class AuditLog {
  readonly #entries: AuditEntry[] = [];

  readonly note = (entry: AuditEntry): void => {
    this.#entries.push(entry);
    if (this.#entries.length > MOST_KEPT) this.#entries.shift();
  };

  /** Whatever was asked or done about this session. */
  readonly about = (sessionId: string): AuditEntry[] => this.#entries.filter(({ target }) => target === sessionId);
}
