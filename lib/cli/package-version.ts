import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version of the package that this file belongs to. */
export function packageVersion(): string {
  // The sources are deeper in the package than what is published.
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const { name, version } = manifestIn(folder);
    if (name === "coatcheck") return version;
    if (folder === dirname(folder)) return "of an unknown version";
  }
}

function manifestIn(folder: string): { name: string; version: string } {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name: string; version: string };
  } catch {
    return { name: "", version: "" };
  }
}
