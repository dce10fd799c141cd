import { SessionError } from "../../errors";
import { shownValue } from "../../record/shown-text";

/** `SESSION_CONFIG`, with all that is wrong: a sentence for each option. */
export class RefusedOptions extends SessionError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const [first = "", ...others] = problems;
    super(
      "SESSION_CONFIG",
      others.length === 0 ? first : `${problems.length} options can't be used:\n- ${problems.join("\n- ")}`,
    );
    this.problems = problems;
  }
}

/** Refuses an option: names it, echoes the value, and says what to write instead. */
export function refuse(option: string, value: unknown, instead: string): never {
  throw new RefusedOptions([`Option ${option} can't be ${shownValue(value)}; ${instead}.`]);
}
