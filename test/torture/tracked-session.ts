import { TrackedCounter, TrackedValue } from "./tracked-values";

/** What a read of a session returned. */
export interface Reading {
  readonly id: string;
  readonly isNew: boolean;
  readonly owner: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** What is known of one session. */
export class TrackedSession {
  readonly token: string;
  readonly id: string;
  readonly owner: string;
  /** `unsure` if a request that would have ended it broke off. */
  state: "live" | "unsure" | "ended" = "live";
  readonly counter = new TrackedCounter();
  readonly #values = new Map<string, TrackedValue>();

  constructor(token: string, id: string, owner: string, first: string) {
    this.token = token;
    this.id = id;
    this.owner = owner;
    this.value("first").settle(first);
  }

  value(key: string): TrackedValue {
    let value = this.#values.get(key);
    if (value === undefined) this.#values.set(key, (value = new TrackedValue()));
    return value;
  }

  /**
   * A read begins. The returned function takes what it returned, and returns what is wrong with that. `isQuiet` says
   * that nothing else of this session is under way, so that doubts are settled.
   */
  read(isQuiet: boolean): (reading: Reading) => string[] {
    const before = new Map([...this.#values].map(([key, value]) => [key, value.readable]));
    const least = this.counter.least;
    const was = this.state;
    return (reading) => {
      const isLive = reading.id === this.id && !reading.isNew;
      if (was === "ended" || !isLive) return this.#notLive(reading, isLive, was);
      if (this.state === "unsure" && isQuiet) this.state = "live";
      const wrong: string[] = [];
      if (reading.owner !== this.owner) wrong.push(`belongs to ${reading.owner}, not to ${this.owner}`);
      for (const [key, value] of this.#values) {
        const found = reading.values[key] as string | undefined;
        const allowed = [...(before.get(key) ?? []), ...value.readable];
        if (!allowed.includes(found)) wrong.push(`holds ${found} as ${key}, not ${[...new Set(allowed)].join(" or ")}`);
        if (isQuiet) value.settle(found);
      }
      const count = Number(reading.values.counter ?? 0);
      const { most } = this.counter;
      if (count < least || count > most) wrong.push(`counts ${count}, not ${least} to ${most}`);
      if (isQuiet) this.counter.settle(count);
      return wrong;
    };
  }

  /** Somebody was told that the session is not live; returns what is wrong with that. */
  foundEnded(): string[] {
    const isWrong = this.state === "live";
    this.state = "ended";
    return isWrong ? ["is gone, and nobody ended it"] : [];
  }

  #notLive(reading: Reading, isLive: boolean, was: TrackedSession["state"]): string[] {
    if (isLive) return ["has ended, and is live"];
    if (Object.keys(reading.values).length > 0) return [`has ended, and still holds ${JSON.stringify(reading.values)}`];
    return was === "ended" ? [] : this.foundEnded();
  }
}
