import { html } from "./html";
import type { Html } from "./html";

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** An instant as a person would say it at `now`, with the exact one to hover over; a dash for none. */
export function instant(date: Date | null, now: number): Html {
  if (date === null) return html`<span class="none">–</span>`;
  return html`<time datetime="${date.toISOString()}" title="${exactText(date)}">${relativeText(date, now)}</time>`;
}

/** The same in UTC, to the second. */
export function exactText(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function relativeText(date: Date, now: number): string {
  const ms = date.getTime() - now;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(ms) >= length) ?? ["second", 1_000];
  return unit === "second" && Math.abs(ms) < 5_000 ? "now" : RELATIVE.format(Math.round(ms / length), unit);
}
