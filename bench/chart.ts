import { added } from "./report";
import { CASES } from "./rounds";
import type { Samples } from "./rounds";
import { median } from "./statistics";
import { BARE } from "./variants";

const BAR = 16;
const LABELS = 260;
const BARS = 440;
const COLOURS = ["#0b6e4f", "#3fa34d", "#9aa5b1", "#c6ccd3", "#dfe3e8", "#eceff2"];

/** The first table of the report as a picture: what the sessions add to each request, in an SVG document. */
export function chart(samples: Samples): string {
  const variants = [...samples.keys()].filter(({ name }) => name !== BARE);
  const longest = Math.max(...variants.flatMap((one) => CASES.map((each) => median(added(samples, one, each)))));
  const groupHeight = variants.length * BAR + 34;
  const groups = CASES.map((one, group) => {
    const bars = variants.map((variant, row) => {
      const cpu = median(added(samples, variant, one));
      const y = 26 + row * BAR;
      const width = Math.max(1, (cpu / longest) * BARS).toFixed(1);
      return [
        `<text x="${LABELS - 8}" y="${y + 12}" text-anchor="end">${variant.name}</text>`,
        `<rect x="${LABELS}" y="${y + 2}" width="${width}" height="${BAR - 4}" fill="${COLOURS[row] ?? "#eceff2"}"/>`,
        `<text x="${LABELS + Number(width) + 6}" y="${y + 12}">${cpu.toFixed(1)}</text>`,
      ].join("");
    });
    const title = `<text x="${LABELS}" y="18" font-weight="bold">${one.size}, ${one.operation}</text>`;
    return `<g transform="translate(0 ${30 + group * groupHeight})">${title}${bars.join("")}</g>`;
  });
  const height = 40 + CASES.length * groupHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="780" height="${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    `<text x="${LABELS}" y="24" font-size="14">CPU time that sessions add to a request, in microseconds</text>`,
    ...groups,
    "</svg>\n",
  ].join("\n");
}
