import { added } from "./cpu-report";
import { CASES } from "./rounds";
import type { Samples } from "./rounds";
import { median } from "./statistics";

const BAR = 16;
const LABELS = 260;
const BARS = 440;
const COLOURS = ["#0b6e4f", "#3fa34d", "#8bc98f", "#9aa5b1", "#b1bac4", "#c6ccd3", "#d3d8de", "#dfe3e8", "#e8ebef"];
const CHARTED = ["200 B read", "200 B write", "4 KB read", "4 KB write"];

/** What the sessions add to each request, as an SVG document, for the cases that a shop has most of. */
export function chart(samples: Samples): string {
  const groups = CASES.filter(({ size, operation }) => CHARTED.includes(`${size} ${operation}`)).map((one) => ({
    title: `${one.size}, ${one.operation}`,
    bars: [...samples.keys()].flatMap(({ name, withoutSessions }) => {
      const cpu = added(samples, name, one);
      return withoutSessions === true || cpu.length === 0 ? [] : [{ name, value: median(cpu) }];
    }),
  }));
  return barChart("CPU time that sessions add to a request, in microseconds", groups);
}

interface Group {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

/** Bars of one scale, in groups one below the other. */
function barChart(title: string, groups: readonly Group[]): string {
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ name }) => name)))];
  let top = 30;
  const drawn = groups.map((group) => {
    const bars = group.bars.map(({ name, value }, row) => {
      const y = 26 + row * BAR;
      const width = Math.max(1, (value / longest) * BARS);
      return [
        `<text x="${LABELS - 8}" y="${y + 12}" text-anchor="end">${name}</text>`,
        `<rect x="${LABELS}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR - 4}" fill="${COLOURS[names.indexOf(name)] ?? "#eceff2"}"/>`,
        `<text x="${(LABELS + width + 6).toFixed(1)}" y="${y + 12}">${value.toFixed(1)}</text>`,
      ].join("");
    });
    const head = `<text x="${LABELS}" y="18" font-weight="bold">${group.title}</text>`;
    const drawing = `<g transform="translate(0 ${top})">${head}${bars.join("")}</g>`;
    top += bars.length * BAR + 34;
    return drawing;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="780" height="${top + 10}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LABELS}" y="24" font-size="14">${title}</text>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}
