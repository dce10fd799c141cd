import { withoutCodeBlocks } from "./code-blocks";

const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/gm;
const SET_BY_HAND = /<\w+[^>]*\s(?:id|name)="([^"]+)"/g;

/** The anchors of a document's headings, as GitHub makes them, and those that it sets by hand. */
export function anchorsOf(document: string, text: string): Set<string> {
  const prose = withoutCodeBlocks(document, text);
  const anchors = new Set([...prose.matchAll(SET_BY_HAND)].map(([, id = ""]) => id));
  const counts = new Map<string, number>();
  for (const [, heading = ""] of prose.matchAll(HEADING)) {
    const slug = slugOf(heading);
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** Lower case, without punctuation, and a hyphen for each space; of a link, its text. */
function slugOf(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/<[^>]*>/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
}
