/**
 * What one key of a session may hold: more than one value if it is unknown whether a write got through, or which of
 * several came last.
 */
export class TrackedValue {
  #possible = new Set<string | undefined>([undefined]);
  /** The writes that are under way, and those with which they overlap. */
  #group: { values: Set<string>; acknowledged: Set<string>; unknown: Set<string> } | undefined;
  #underWay = 0;

  /**
   * A write begins. The returned function is told how it ended: true, false if it was refused, undefined if nobody
   * knows.
   */
  write(value: string): (isDone: boolean | undefined) => void {
    const group = (this.#group ??= { values: new Set(), acknowledged: new Set(), unknown: new Set() });
    group.values.add(value);
    this.#underWay += 1;
    return (isDone) => {
      if (isDone === true) group.acknowledged.add(value);
      if (isDone === undefined) group.unknown.add(value);
      this.#underWay -= 1;
      if (this.#underWay > 0) return;
      const before = group.acknowledged.size > 0 ? [] : this.#possible;
      this.#possible = new Set([...before, ...group.acknowledged, ...group.unknown]);
      this.#group = undefined;
    };
  }

  /** What a read that takes place now may find. */
  get readable(): ReadonlySet<string | undefined> {
    return new Set([...this.#possible, ...(this.#group?.values ?? [])]);
  }

  /** The value was read while nothing was under way. */
  settle(value: string | undefined): void {
    this.#possible = new Set([value]);
  }
}

/** A counter that is only ever added to. */
export class TrackedCounter {
  #started = 0;
  #acknowledged = 0;
  #refused = 0;

  increment(): (isDone: boolean | undefined) => void {
    this.#started += 1;
    return (isDone) => {
      if (isDone === true) this.#acknowledged += 1;
      if (isDone === false) this.#refused += 1;
    };
  }

  /** The least that it can be: what was acknowledged by now. */
  get least(): number {
    return this.#acknowledged;
  }

  /** The most that it can be: also with what is under way, or has an unknown outcome. */
  get most(): number {
    return this.#started - this.#refused;
  }

  /** The value was read while nothing was under way. */
  settle(value: number): void {
    this.#started = this.#acknowledged = value;
    this.#refused = 0;
  }
}
