import { added } from "./cpu-report";
import { CONNECT_PG, CONNECT_PG_UNTOUCHED, CONNECT_REDIS, CONNECT_REDIS_UNTOUCHED } from "./database-variants";
import { POSTGRES, REDIS } from "./database-variants";
import { CASES } from "./rounds";
import type { Samples } from "./rounds";
import { median } from "./statistics";
import { EMBEDDED, REFERENCE } from "./variants";

const BAR = 16;
const LABELS = 330;
const BARS = 440;
/** What a team chooses between, ours first: the picture is for the README. `results.md` has every variant. */
const OURS = [EMBEDDED, REDIS, POSTGRES];
const THEIRS = [REFERENCE, CONNECT_REDIS, CONNECT_REDIS_UNTOUCHED, CONNECT_PG, CONNECT_PG_UNTOUCHED];
const COLOURS = { ours: "#0b6e4f", theirs: "#9aa5b1" };
const CHARTED = ["200 B read", "200 B write", "4 KB read", "4 KB write"];

/** What the sessions add to each request, as an SVG document, for the cases that a shop has most of. */
export function chart(samples: Samples): string {
  const groups = CASES.filter(({ size, operation }) => CHARTED.includes(`${size} ${operation}`)).map((one) => ({
    title: `${one.size}, ${one.operation}`,
    bars: [...OURS, ...THEIRS].flatMap((name) => {
      const cpu = added(samples, name, one);
      return cpu.length === 0 ? [] : [{ name, value: median(cpu) }];
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
  let top = 30;
  const drawn = groups.map((group) => {
    const bars = group.bars.map(({ name, value }, row) => {
      const y = 26 + row * BAR;
      const width = Math.max(1, (value / longest) * BARS);
      return [
        `<text x="${LABELS - 8}" y="${y + 12}" text-anchor="end">${name}</text>`,
        `<rect x="${LABELS}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR - 4}" fill="${OURS.includes(name) ? COLOURS.ours : COLOURS.theirs}"/>`,
        `<text x="${(LABELS + width + 6).toFixed(1)}" y="${y + 12}">${value.toFixed(1)}</text>`,
      ].join("");
    });
    const head = `<text x="${LABELS}" y="18" font-weight="bold">${group.title}</text>`;
    const drawing = `<g transform="translate(0 ${top})">${head}${bars.join("")}</g>`;
    top += bars.length * BAR + 34;
    return drawing;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="850" height="${top + 10}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LABELS}" y="24" font-size="14">${title}</text>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}
