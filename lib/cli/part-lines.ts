import { printable } from "./printable";

/** Named parts of one thing, a line each; those that are null say nothing of it and have none. */
export function partLines(parts: Readonly<Record<string, string | number | null>>): string {
  const lines = Object.entries(parts).filter(([, value]) => value !== null);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value)) || "-"}`).join("\n");
}
