import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { anchorsOf } from "./anchors";
import { withoutCodeBlocks } from "./code-blocks";
import { ROOT } from "./documents";

/** This repository, where it is published: what the README links to there has to be here. */
const OWN_FILES =
  /^https:\/\/(?:github\.com\/coatcheck\/coatcheck\/(?:blob|tree|raw)|raw\.githubusercontent\.com\/coatcheck\/coatcheck)\/main\//;
const LINKS = [
  /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g, // [text](target "title"), and pictures
  /^\s{0,3}\[[^\]^]+\]:\s*<?([^\s>]+)>?/gm, // [text]: target
  /<\w+[^>]*\s(?:href|src|srcset)="([^"]+)"/g,
];
const CODE_SPAN = /(`+)[^`](?:.*?[^`])??\1(?!`)/g;

/** The links of a document that lead to nothing: to a file that isn't there, or to no heading of one that is. */
export function deadLinks(document: string, text: string): string[] {
  const prose = withoutCodeBlocks(document, text).replace(CODE_SPAN, (code) => "`".padEnd(code.length, "`"));
  const targets = LINKS.flatMap((pattern) => [...prose.matchAll(pattern)]).map(([, target = ""]) => target);
  return [...new Set(targets)]
    .filter((target) => leadsNowhere(document, text, target))
    .map((target) => `${document}: ${target}`);
}

function leadsNowhere(document: string, text: string, target: string): boolean {
  const isOwn = OWN_FILES.test(target);
  if (/^[a-z][a-z+.-]*:/i.test(target) && !isOwn) return false;
  const [encoded = "", anchor] = target.replace(OWN_FILES, "").split("#");
  const path = decodeURIComponent(encoded.replace(/\?.*$/, ""));
  const file = path === "" && !isOwn ? document : normalize(isOwn ? path : join(dirname(document), path));
  if (file !== document && !existsSync(join(ROOT, file))) return true;
  if (anchor === undefined || anchor === "") return false;
  if (!file.endsWith(".md")) return statSync(join(ROOT, file)).isDirectory() || !/^L\d+(?:-L\d+)?$/.test(anchor);
  return !anchorsOf(file, file === document ? text : readFileSync(join(ROOT, file), "utf8")).has(
    decodeURIComponent(anchor),
  );
}

/** The paths of this repository that a document names as code, and that don't exist. */
export function missingPaths(document: string, text: string): string[] {
  return [...withoutCodeBlocks(document, text).matchAll(/`((?:bench|docs|example-app|lib|lint|test)\/[\w./-]*)`/g)]
    .map(([, path = ""]) => path)
    .filter((path) => !existsSync(join(ROOT, path)))
    .map((path) => `${document}: ${path}`);
}
