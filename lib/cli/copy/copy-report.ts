import { SessionError } from "../../errors";
import { counted } from "../printed-text";
import { noCounts } from "./session-copy";
import type { PassCounts, PassListener } from "./session-copy";

/** How many sessions that were changed in both are named; all are counted. */
const MOST_NAMED = 100;

/** What a copy has done so far, in words. */
export class CopyReport {
  passes = 0;
  /** What the present pass has done. */
  counts = noCounts();
  /** What the passes before it have changed. */
  readonly #before = { created: 0, updated: 0, ended: 0 };
  #unreadable = 0;
  #failures: string[] = [];
  #conflicts: string[] = [];

  /** The listener of the next pass, which counts in `counts`. */
  startPass(): PassListener {
    const changed = this.#changed();
    Object.assign(this.#before, changed);
    this.passes += 1;
    this.counts = noCounts();
    this.#failures = [];
    this.#conflicts = [];
    return {
      onFailure: (id, error) => {
        this.#failures.push(`coatcheck: the session ${id} was not copied: ${reasonOf(error)}`);
      },
      onChangedInBoth: (id) => {
        if (this.#conflicts.length >= MOST_NAMED) return;
        this.#conflicts.push(`coatcheck: the session ${id} was changed in both stores; the target keeps its own.`);
      },
    };
  }

  /** Whether everything in the source has been copied, or is overtaken by what the target has. */
  get isComplete(): boolean {
    return this.counts.failed + this.counts.missing + this.#unreadable === 0;
  }

  /** Counts a session of the source that can't be read, and names it. */
  unreadableText(id: string): string {
    this.#unreadable += 1;
    return `coatcheck: the session ${id} can't be read, and was not copied.`;
  }

  passText(): string {
    return `coatcheck: pass ${this.passes}: ${changesText(this.counts)}. The next pass looks for what has changed since.`;
  }

  /** What the last pass could not do. */
  leftLines(): readonly string[] {
    const { missing } = this.counts;
    const missed = `coatcheck: ${counted(missing, "session")} of earlier copies ${missing === 1 ? "is" : "are"} no longer in the source, and neither is any other of theirs. Check that --from is right; if it is, run the same command again, which ends what is missing.`;
    return [...this.#failures, ...this.#conflicts, ...(missing > 0 ? [missed] : [])];
  }

  /** For a pass that failed as a whole. */
  brokenOffLines(): readonly string[] {
    const done = changesText(this.#changed());
    return [...this.#failures, `coatcheck: ${done} until then. Run the same command again to go on.`];
  }

  total(): object {
    const { endedInTarget, newerInTarget, changedInBoth, missing, failed } = this.counts;
    const left = { endedInTarget, newerInTarget, changedInBoth, missing, failed };
    return { passes: this.passes, ...this.#changed(), ...left, unreadable: this.#unreadable };
  }

  totalText(): string {
    const { endedInTarget, newerInTarget, changedInBoth, missing, failed } = this.counts;
    const left = [
      [endedInTarget, "ended in the target"],
      [newerInTarget, "newer in the target"],
      [changedInBoth, "changed in both"],
      [missing, "missing in the source"],
      [failed, "failed"],
      [this.#unreadable, "unreadable"],
    ] as const;
    const more = left.flatMap(([count, what]) => (count === 0 ? [] : [`, ${count} ${what}`])).join("");
    return `${changesText(this.#changed())}${more}, in ${this.passes === 1 ? "1 pass" : `${this.passes} passes`}.`;
  }

  /** What all passes have changed. */
  #changed(): Pick<PassCounts, "created" | "updated" | "ended"> {
    const { created, updated, ended } = this.#before;
    const { counts } = this;
    return { created: created + counts.created, updated: updated + counts.updated, ended: ended + counts.ended };
  }
}

function changesText({ created, updated, ended }: Pick<PassCounts, "created" | "updated" | "ended">): string {
  return `${counted(created, "session")} copied, ${updated} updated, ${ended} ended`;
}

function reasonOf(error: unknown): string {
  return error instanceof SessionError ? error.message : "an unexpected error.";
}
