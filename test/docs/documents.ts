import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(__dirname, "../..");

const markdownIn = (folder: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

/** The documents for users. */
export const GUIDES = ["README.md", ...markdownIn("docs")];

/** Every document of the project. */
export const DOCUMENTS = [...markdownIn("."), ...["bench", "docs", "docs/decisions"].flatMap(markdownIn)];

export function readDocument(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}
