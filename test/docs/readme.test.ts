import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");
const HOME = "https://github.com/coatcheck/coatcheck";
const RAW = "https://raw.githubusercontent.com/coatcheck/coatcheck/main/";
const readme = readFileSync(join(ROOT, "README.md"), "utf8");
const links = [...readme.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(
  ([, inline, named]) => inline ?? named!,
);

describe("README.md", () => {
  it("can be read in five minutes", () => {
    expect(readme.trim().split(/\s+/).length).toBeLessThan(900);
  });

  it("says how to install and how to contribute", () => {
    expect(readme).toContain("npm install coatcheck");
    expect(readme).toContain("npm ci && npm start");
    expect(readme).toContain("npm ci && npm test");
  });

  it("links to documents that are published with it, and to all else in the repository", () => {
    const relative = links.filter((link) => !link.startsWith("https://"));
    expect(relative.filter((link) => !/^(docs\/[\w-]+|[A-Z]+)\.md(#[\w-]+)?$/.test(link))).toEqual([]);
    const prefixes = [RAW, `${HOME}/blob/main/`, `${HOME}/tree/main/`];
    const absolute = links.filter((link) => link.startsWith("https://"));
    const files = absolute.flatMap((link) =>
      prefixes.flatMap((prefix) => (link.startsWith(prefix) ? [link.slice(prefix.length)] : [])),
    );
    expect(files.length).toBe(absolute.length);
    for (const link of [...relative, ...files])
      expect([link, existsSync(join(ROOT, link.replace(/#.*/, "")))]).toEqual([link, true]);
  });
});
