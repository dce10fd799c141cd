import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const ROOT = join(__dirname, "../..");
const REPOSITORY = "https://github.com/coatcheck/coatcheck";
const MAX_UNPACKED_BYTES = 3 * 1024 * 1024;
const MAX_PACKAGES = 15;

interface Packed {
  readonly files: readonly { readonly path: string }[];
  readonly unpackedSize: number;
}
interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly [field: string]: unknown;
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
const { packages } = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
  packages: Record<string, Manifest | undefined>;
};
const [packed] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" }),
) as [Packed];
const files = new Set(packed.files.map(({ path }) => path));
const documents = [...files].filter((path) => path.endsWith(".md"));

/** Where the links and pictures of a document lead, without the blocks of code. */
function targetsIn(document: string): string[] {
  const text = readFileSync(join(ROOT, document), "utf8")
    .replace(/^```[^]*?^```/gm, "")
    .replace(/`[^`\n]*`/g, "");
  const links = [...text.matchAll(/\]\(([^)\s]+)[^)]*\)|^\[[^\]]+\]: (\S+)|\b(?:src|href)="([^"]+)"/gm)];
  return links.map(([, inline, reference, html]) => inline ?? reference ?? html ?? "");
}

describe("the packed files", () => {
  it("have documents to look at", () => {
    expect(documents).toEqual(expect.arrayContaining(["README.md", "docs/command-line.md", "SECURITY.md"]));
    expect(documents.flatMap(targetsIn).length).toBeGreaterThan(50);
  });

  it.each(documents)(
    "%s: every link and picture leads to a packed file, or elsewhere by its whole address",
    (document) => {
      const relative = targetsIn(document).filter((target) => !/^(https?:|mailto:|#)/.test(target));
      const paths = relative.map((target) => posix.join(posix.dirname(document), target.replace(/[#?].*/, "")));
      expect(paths.filter((path) => !files.has(path))).toEqual([]);
    },
  );

  it.each(documents)("%s: what it names in the repository is there", (document) => {
    const named = targetsIn(document).flatMap((target) => {
      const [, path] = /coatcheck\/coatcheck\/(?:(?:blob|tree|raw)\/)?main\/([^#?]+)/.exec(target) ?? [];
      return path === undefined ? [] : [path];
    });
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("are without decisions and the tables of the benchmark, which stay in the repository", () => {
    expect([...files].filter((path) => /^(docs\/decisions|bench|lib|test|lint|\.)/.test(path))).toEqual([]);
    expect(existsSync(join(ROOT, "docs/decisions"))).toBe(true);
  });

  it("are small", () => {
    expect(packed.unpackedSize).toBeGreaterThan(100_000);
    expect(packed.unpackedSize).toBeLessThanOrEqual(MAX_UNPACKED_BYTES);
  });
});

describe("the package", () => {
  it("says where it comes from", () => {
    expect(manifest).toMatchObject({
      homepage: `${REPOSITORY}#readme`,
      bugs: `${REPOSITORY}/issues`,
      repository: { type: "git", url: `git+${REPOSITORY}.git` },
      author: "The coatcheck authors",
    });
  });

  it("brings few packages to an app that has Express, and none of types", () => {
    const there = closureOf({ dependencies: { express: "" } });
    const brought = [...closureOf(manifest)].filter((path) => !there.has(path));
    expect(there).toContain("node_modules/express");
    expect(brought).toContain("node_modules/node-cron");
    expect(brought.filter((path) => path.includes("@types/"))).toEqual([]);
    // One of them is coatcheck.
    expect(brought.length + 1).toBeLessThanOrEqual(MAX_PACKAGES);
  });

  it("has types that need no other package's", () => {
    const declarations = [...files].filter((path) => path.endsWith(".d.ts"));
    expect(declarations.length).toBeGreaterThan(50);
    const text = declarations.map((path) => readFileSync(join(ROOT, path), "utf8")).join("\n");
    const imported = [...text.matchAll(/\b(?:from |import\()"([^."][^"]*)"/g)].map(([, name]) => name!);
    // "coatcheck/testing" and "coatcheck" are in examples of docstrings.
    expect(imported.filter((name) => !name.startsWith("node:") && !name.startsWith("coatcheck"))).toEqual([]);
  });
});

/** Where the packages are installed that a package needs in production, as the lock file has them. */
function closureOf({ dependencies = {} }: Manifest, from = "", found = new Set<string>()): Set<string> {
  for (const name of Object.keys(dependencies)) {
    const path = placesFrom(from, name).find((place) => packages[place] !== undefined);
    if (path === undefined) throw new Error(`${name} is not in the lock file.`);
    if (found.has(path)) continue;
    found.add(path);
    closureOf(packages[path]!, path, found);
  }
  return found;
}

/** Where Node looks for a package: in the folder itself, then in each above it. */
function placesFrom(from: string, name: string): string[] {
  const above = from.split(/\/?node_modules\//).filter(Boolean);
  return above
    .map(
      (_, depth) =>
        `${above
          .slice(0, above.length - depth)
          .map((each) => `node_modules/${each}`)
          .join("/")}/node_modules/${name}`,
    )
    .concat(`node_modules/${name}`);
}
