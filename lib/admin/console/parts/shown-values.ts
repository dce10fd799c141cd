import { deviceName } from "../../listing/device-name";
import type { SessionInfo } from "../../listing/session-info";
import { html } from "./html";
import type { Html } from "./html";

const TIME_UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];
const AGO_UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const NUMBER = new Intl.NumberFormat("en");
const BYTE_UNITS = ["kB", "MB", "GB", "TB"];
const MAX_DEVICE_LENGTH = 60;
const MAX_TEXT_LENGTH = 100;

/** Other people's text: it may run from right to left, and must not turn the text around it. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** A text without its end, where it is long. */
export function shortText(text: string, length = MAX_TEXT_LENGTH): string {
  return text.length > length ? `${text.slice(0, length).toWellFormed()}…` : text;
}

/** The device, as far as the user agent tells, with the user agent as its title. */
export function deviceLabel({ userAgent }: Pick<SessionInfo, "userAgent">): Html {
  const name = deviceName(userAgent);
  if (name === "") return html`<span class="none">Unknown</span>`;
  return html`<span class="device" title="${userAgent}">${foreign(shortText(name, MAX_DEVICE_LENGTH))}</span>`;
}

/** The project's name; the default project has none. */
export function projectLabel(project: string): Html {
  return project === "" ? html`<span class="none">Default project</span>` : html`${project}`;
}

/** Why a session ended. */
export function endLabel({ endReason }: Pick<SessionInfo, "endReason">): Html {
  return html`<span class="badge ${endReason === "killed" && "strong"}">${endReason}</span>`;
}

/** An instant relative to `now`, with the exact one as its title; a dash for none. */
export function instant(date: Date | null, now: number): Html {
  if (date === null) return html`<span class="none">–</span>`;
  return html`<time datetime="${date.toISOString()}" title="${exactText(date)}">${relativeText(date, now)}</time>`;
}

/** How long ago an instant was, with the instant as its title. The script goes on counting. */
export function ago(date: Date, now: number): Html {
  const text = shortDuration(now - date.getTime());
  return html`<time datetime="${date.toISOString()}" title="${exactText(date)}" data-ago>${text}</time>`;
}

/** A length of time in its largest unit. */
function shortDuration(ms: number): string {
  const [unit, length] = AGO_UNITS.find(([, length]) => ms >= length) ?? ["s", 1_000];
  return `${Math.max(0, Math.floor(ms / length))} ${unit}`;
}

/** An instant in UTC, to the second. */
function exactText(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function relativeText(date: Date, now: number): string {
  const ms = date.getTime() - now;
  const [unit, length] = TIME_UNITS.find(([, length]) => Math.abs(ms) >= length) ?? ["second", 1_000];
  return unit === "second" && Math.abs(ms) < 5_000 ? "now" : RELATIVE.format(Math.round(ms / length), unit);
}

/** A number with separators for thousands. */
export function count(value: number): string {
  return NUMBER.format(value);
}

/** A number with what it counts. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A number of bytes in the unit that suits it, with the exact number as its title. */
export function bytes(value: number): Html {
  let [amount, unit] = [value, "B"];
  for (const larger of BYTE_UNITS) {
    if (amount < 1_000) break;
    [amount, unit] = [amount / 1_000, larger];
  }
  const digits = unit === "B" || amount >= 100 ? 0 : 1;
  return html`<span class="number" title="${counted(value, "byte")}">${amount.toFixed(digits)} ${unit}</span>`;
}

/** A length of time, given in milliseconds, in its two largest units. */
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
