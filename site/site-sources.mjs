import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { INDEX } from "./guides.mjs";

const REPOSITORY = "https://github.com/coatcheck/coatcheck";
const OWN_FILE = new RegExp(`^${REPOSITORY}/blob/main/`);
const PICTURE = /\.(?:png|svg|gif|jpe?g|webp)$/i;
/** TypeDoc leaves code in a heading out of its anchor. */
const HEADING = /^#{1,6} .*`.*$/gm;
const CODE = /`([^`]*)`/g;
const FENCED = /^( *)(`{3,}|~{3,})[^]*?^ *\2 *$/gm;

/**
 * Writes the documents into a folder as TypeDoc wants them: with their titles and groups in front, and with links that
 * lead within the site where they can, and otherwise to the repository. Returns their paths there.
 */
export function writeSiteSources(root, folder, documents) {
  const paths = new Set([INDEX, ...documents.map(({ path }) => path)]);
  for (const { path, title, group } of [{ path: INDEX }, ...documents]) {
    const front =
      title === undefined ? "" : `---\ntitle: ${JSON.stringify(title)}\ngroup: ${JSON.stringify(group)}\n---\n\n`;
    const text = front + outsideCode(readFileSync(join(root, path), "utf8"), (prose) => withLinks(prose, path));
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return documents.map(({ path }) => join(folder, path));

  function withLinks(prose, from) {
    return prose
      .replace(HEADING, (heading) => heading.replace(CODE, (_all, code) => code.replace(/[\\*_<[\]]/g, "\\$&")))
      .replace(
        /(\]\(<?)([^)\s>#]+)((?:#[^)\s>]*)?>?[^)]*\))/g,
        (_all, before, target, after) => before + siteLink(target, from) + after,
      )
      .replace(/((?:href|src|srcset)=")([^"#]+)/g, (_all, before, target) => before + siteLink(target, from));
  }

  function siteLink(target, from) {
    const isOwn = OWN_FILE.test(target);
    if (/^[a-z][a-z+.-]*:/i.test(target) && !isOwn) return target;
    const path = isOwn ? target.replace(OWN_FILE, "") : normalize(join(dirname(from), target));
    if (paths.has(path)) return isOwn ? `${"../".repeat(from.split("/").length - 1)}${path}` : target;
    if (isOwn) return target;
    if (PICTURE.test(path)) {
      cpSync(join(root, path), join(folder, path));
      return target;
    }
    return `${REPOSITORY}/${statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ? "tree" : "blob"}/main/${path.replace(/\/$/, "")}`;
  }
}

function outsideCode(text, change) {
  let at = 0;
  let changed = "";
  for (const fenced of text.matchAll(FENCED)) {
    changed += change(text.slice(at, fenced.index)) + fenced[0];
    at = fenced.index + fenced[0].length;
  }
  return changed + change(text.slice(at));
}
