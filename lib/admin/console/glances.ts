/** Looks at the same thing that follow each other within this time are one, in milliseconds. */
const GLANCE_MS = 60_000;
/** A look that goes on gets another entry after this time, in milliseconds. */
const LOOK_MS = 3_600_000;
const MOST_KEPT = 2_000;

interface Look {
  readonly toldAt: number;
  readonly seenAt: number;
}

/**
 * Remembers what was looked at, so that a page that is opened again within a minute, or that updates itself, makes one
 * entry in the audit and not one every few seconds.
 */
export class Glances {
  readonly #looks = new Map<string, Look>();

  /** Whether this look goes on with one that the audit was told of. */
  wasTold(look: string, now: number): boolean {
    const last = this.#looks.get(look);
    const goesOn = last !== undefined && now - last.seenAt < GLANCE_MS && now - last.toldAt < LOOK_MS;
    this.#looks.delete(look);
    this.#looks.set(look, { toldAt: goesOn ? last.toldAt : now, seenAt: now });
    if (this.#looks.size > MOST_KEPT) this.#forgetOldest();
    return goesOn;
  }

  #forgetOldest(): void {
    for (const oldest of this.#looks.keys()) {
      this.#looks.delete(oldest);
      return;
    }
  }
}
