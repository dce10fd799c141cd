import { CONSOLE_STYLE } from "../../../lib/admin/console/parts/console-style";

/** Ink, ground, and their least contrast. (WCAG 2.2, 1.4.3 and 1.4.11) */
const PAIRS: readonly (readonly [string, string, number])[] = [
  ...["page", "panel", "track"].map((ground) => ["ink", ground, 4.5] as const),
  ...["page", "panel"].map((ground) => ["ink-soft", ground, 4.5] as const),
  ...["page", "panel", "accent-soft"].map((ground) => ["accent", ground, 4.5] as const),
  ...["page", "panel", "danger-soft"].map((ground) => ["danger", ground, 4.5] as const),
  ["on-danger", "danger", 4.5],
  ["ink", "accent-soft", 4.5],
  ["good", "good-soft", 4.5],
  ...["page", "panel"].map((ground) => ["field", ground, 3] as const),
  ...["signed-in", "guests"].map((bar) => [bar, "panel", 3] as const),
];

describe.each(["light", "dark"] as const)("the console's %s palette", (palette) => {
  test.each(PAIRS)("%s on %s has a contrast of %d or more", (ink, ground, least) => {
    const colours = palettes()[palette];
    expect(contrast(colours.get(ink)!, colours.get(ground)!)).toBeGreaterThanOrEqual(least);
  });
});

test("the console's style takes every colour from a palette, and loads nothing from elsewhere", () => {
  const { light, dark } = palettes();
  expect([...dark.keys()]).toEqual([...light.keys()]);
  const rules = CONSOLE_STYLE.replace(/--[\w-]+: #\w+;/g, "");
  expect(rules).not.toMatch(/#[0-9a-f]{3,8}\b|\brgb|\bhsl|url\(|@import/i);
  for (const [, name] of rules.matchAll(/var\(--([\w-]+)\)/g)) expect(light.has(name!)).toBe(true);
});

function palettes() {
  const [light, dark] = CONSOLE_STYLE.split("@media (prefers-color-scheme: dark)");
  return { light: coloursIn(light!), dark: coloursIn(dark!) };
}

function coloursIn(css: string): Map<string, string> {
  return new Map([...css.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name!, colour!]));
}

/** WCAG 2.2, "contrast ratio" */
function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
