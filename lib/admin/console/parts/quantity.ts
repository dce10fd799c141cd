import { html } from "./html";
import type { Html } from "./html";

const NUMBER = new Intl.NumberFormat("en");
const UNITS = ["kB", "MB", "GB", "TB"];

/** A number as the console's language writes it. */
export function count(value: number): string {
  return NUMBER.format(value);
}

/** A number with what it counts. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A number of bytes in the unit that fits, with the exact one to hover over. */
export function bytes(value: number): Html {
  let [amount, unit] = [value, "B"];
  for (const larger of UNITS) {
    if (amount < 1_000) break;
    [amount, unit] = [amount / 1_000, larger];
  }
  const digits = unit === "B" || amount >= 100 ? 0 : 1;
  return html`<span class="number" title="${counted(value, "byte")}">${amount.toFixed(digits)} ${unit}</span>`;
}

/** Milliseconds as a length of time: its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}
