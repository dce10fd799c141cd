import ms from "ms";

/** An instant, to the second, in UTC; "-" for none. */
export function instantText(instant: Date | null): string {
  return instant === null
    ? "-"
    : instant
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z");
}

/** How long ago something was, in milliseconds, in the unit that says most. */
export function agoText(millis: number): string {
  return millis < 1_000 ? "now" : `${ms(millis)} ago`;
}
