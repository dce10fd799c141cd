import type { Language } from "./languages";

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** How money and times are written in each language. */
export const FORMATS = { en: formatsFor("en-GB"), de: formatsFor("de-DE"), ja: formatsFor("ja-JP") } satisfies Record<
  Language,
  unknown
>;

function formatsFor(locale: string) {
  const euros = new Intl.NumberFormat(locale, { style: "currency", currency: "EUR" });
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const months = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" });
  const distances = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  return {
    /** An amount given in euro cents. */
    money: (cents: number) => euros.format(cents / 100),
    moment: (date: Date) => moments.format(date),
    month: (date: Date) => months.format(date),
    /** How long ago, in the largest unit that fits: "5 minutes ago". */
    ago(date: Date, now = Date.now()) {
      const elapsedMs = Math.max(0, now - date.getTime());
      const [unit, unitMs] = UNITS.find(([, ms]) => elapsedMs >= ms) ?? (["second", 1_000] as const);
      return distances.format(-Math.floor(elapsedMs / unitMs), unit);
    },
  };
}
