import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(__dirname, "../..");

const DOCUMENTS = [".", "bench", "docs", "docs/decisions"].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name)),
);

it.each(DOCUMENTS)("%s names only files that exist", (document) => {
  const text = readFileSync(join(ROOT, document), "utf8").replace(/^```[^]*?^```/gm, "");
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => join(dirname(document), path!));
  const paths = [...text.matchAll(/`((?:bench|docs|example-app|lib|lint|test)\/[\w./-]*)`/g)].map(([, path]) => path!);
  expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
