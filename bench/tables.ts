import { median, quantile } from "./statistics";

/** A Markdown table: names in the first column, numbers in the others. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows].map(
    (row) => `| ${row.join(" | ")} |`,
  );
}

/** A ratio's median over the rounds, and its quartiles. */
export function spread(ratios: readonly number[]): string {
  return `${partOf(median(ratios))} (${partOf(quantile(ratios, 0.75))} – ${partOf(quantile(ratios, 0.25))})`;
}

export function partOf(ratio: number): string {
  if (ratio <= 0) return "nothing or less";
  if (ratio < 0.005) return "< 1/200";
  return ratio >= 0.5 ? ratio.toFixed(2) : `1/${Number((1 / ratio).toFixed(1))}`;
}
