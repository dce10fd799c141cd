import { dirname, join, relative, resolve } from "node:path";
import { defineConfig } from "rolldown";

const LIB = resolve(import.meta.dirname, "lib");

/** The files that are required by path from outside: the subpaths of package.json's `exports`, and its `bin`. */
const PUBLIC = [
  "index",
  "stores/sqlite/sqlite-store",
  "stores/datastore/datastore-store",
  "stores/postgres/postgres-store",
  "stores/redis/redis-store",
  "express-shapes",
  "testing/index",
  "cli/coatcheck",
];

/**
 * A `require` inside a function loads its file when it is first called, so that file is a file of the package too. Such calls stand in
 * the files directly in lib only: what becomes of those lies directly in dist, and so the path they name is right there as well.
 */
const lateFiles = {
  name: "late-files",
  async resolveId(id, importer, { kind }) {
    if (kind !== "require-call") return null;
    if (dirname(importer) !== LIB) this.error(`${importer} requires ${id}, which only a file directly in lib may.`);
    const file = await this.resolve(id, importer, { kind: "import-statement", skipSelf: true });
    const name = relative(LIB, file.id).replace(/\.ts$/, "");
    if (!PUBLIC.includes(name)) this.emitFile({ type: "chunk", id: file.id, fileName: `${name}.js` });
    return { id, external: true };
  },
  generateBundle(_options, bundle) {
    for (const { type, fileName, code } of Object.values(bundle)) {
      if (type !== "chunk" || dirname(fileName) === "." || !code.includes(' require("./')) continue;
      this.error(`${fileName} holds a late require, whose path is right only directly in dist.`);
    }
  },
};

/** What is published: a few files instead of one for each of lib's, which Node would have to find, read and compile one by one. */
export default defineConfig({
  input: Object.fromEntries(PUBLIC.map((name) => [name, join(LIB, `${name}.ts`)])),
  platform: "node",
  // Other packages stay outside, but for the helpers of rolldown itself.
  external: /^(?!@oxc-project\/)[a-z@]/,
  plugins: [lateFiles],
  transform: { target: "node20.19" },
  output: {
    dir: "dist",
    cleanDir: true,
    format: "cjs",
    // As every ES module is, and as TypeScript has them in CommonJS.
    strict: true,
    esModule: true,
    entryFileNames: "[name].js",
    // What several of them need is in files that they share: every class is there once.
    chunkFileNames: "shared-[name].js",
  },
});
