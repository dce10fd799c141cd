import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, normalize } from "node:path";

/** The index of the guides, and the first page of the site. */
export const INDEX = "docs/README.md";
const LINK = /\]\(([^)#\s]+\.md)(?:#[^)]*)?\)/g;

/**
 * The documents of the site in the order of the index, each with the heading of the index under which it stands first.
 * Throws where a guide is missing there, so that every page is found from the index.
 */
export function guides(root) {
  const all = readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
    .filter((path) => path !== INDEX);
  const found = new Map();
  let group = "Guides";
  for (const line of readFileSync(join(root, INDEX), "utf8").split("\n")) {
    group = /^##\s+(.+?)\s*$/.exec(line)?.[1] ?? group;
    for (const [, target] of line.matchAll(LINK)) {
      const path = normalize(join("docs", target));
      if (!found.has(path) && path !== INDEX && existsSync(join(root, path))) found.set(path, group);
    }
  }
  const missing = all.filter((path) => !found.has(path));
  if (missing.length > 0) throw new Error(`${INDEX} has no link to ${missing.join(", ")}.`);
  return [...found].map(([path, group]) => ({ path, group, title: titleOf(root, path) }));
}

function titleOf(root, path) {
  const title = /^# (.+)$/m.exec(readFileSync(join(root, path), "utf8"))?.[1];
  if (title === undefined) throw new Error(`${path} has no title: its first line is to be "# …".`);
  return title.replaceAll("`", "");
}
