import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Application, LogLevel } from "typedoc";
import { asAppsSeeIt, entryPoints } from "./api-reference.mjs";
import { INDEX, guides } from "./guides.mjs";
import { writeSiteSources } from "./site-sources.mjs";

const ROOT = join(import.meta.dirname, "..");

/**
 * `npm run docs`: the guides and the API reference as a static site, in `.site` or in `--out DIR`. Fails where an
 * exported name has no docstring, and where a link leads nowhere.
 */
const { values } = parseArgs({ options: { out: { type: "string", default: join(ROOT, ".site") } } });
const folder = mkdtempSync(join(tmpdir(), "coatcheck-site-"));
try {
  await build(resolve(values.out));
} finally {
  rmSync(folder, { recursive: true });
}

async function build(out) {
  const documents = guides(ROOT);
  const entries = entryPoints(ROOT);
  const app = await Application.bootstrap({
    name: "coatcheck",
    entryPoints: entries.map(({ file }) => file),
    tsconfig: join(ROOT, "tsconfig.build.json"),
    projectDocuments: writeSiteSources(ROOT, folder, documents),
    readme: join(folder, INDEX),
    sort: ["alphabetical-ignoring-documents"],
    groupOrder: [...new Set(documents.map(({ group }) => group)), "Modules", "*"],
    navigation: { includeGroups: true, includeCategories: false, includeFolders: false },
    searchInDocuments: true,
    // Nearly nothing here has a parent, and a few links to that page lead nowhere (TypeDoc 0.28.20).
    includeHierarchySummary: false,
    excludeInternal: true,
    excludePrivate: true,
    disableGit: true,
    basePath: ROOT,
    sourceLinkTemplate: "https://github.com/coatcheck/coatcheck/blob/main/{path}#L{line}",
    highlightLanguages: [
      "ts",
      "js",
      "json",
      "jsonc",
      "sh",
      "sql",
      "html",
      "css",
      "diff",
      "yaml",
      "dockerfile",
      "nginx",
      "toml",
      "ini",
    ],
    ignoredHighlightLanguages: ["promql"],
    // What is the type of one thing, and never written in an app.
    intentionallyNotExported: [
      "ReservedNames",
      "CallbackMethod",
      "STATUS_OF",
      "PageRequest",
      "Next",
      "PostgresClient",
      "UnitAnyCase",
    ],
    validation: { notDocumented: true, notExported: true, invalidLink: true, invalidPath: true },
    treatWarningsAsErrors: true,
    logLevel: LogLevel.Warn,
    // `npm run check` has done that.
    skipErrorChecking: true,
  });
  asAppsSeeIt(app, entries);
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc could not read lib.");
  app.validate(project);
  if (!app.logger.hasErrors() && !app.logger.hasWarnings()) await app.generateDocs(project, out);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
}
