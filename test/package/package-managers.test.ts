import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PEER } from "../../lib/stores/sqlite/file/driver";
import { expectRuns, PROGRAM_NAMES, writePrograms } from "../support/user-programs";
import { describeInstalled, outcomeOf } from "../support/user-project";

/** With these settings a package finds only what it declares, and what is fetched stays in the project. */
const MANAGERS = [
  {
    name: "pnpm that hoists nothing",
    program: "node_modules/pnpm/bin/pnpm.mjs",
    settings: [
      "pnpm-workspace.yaml",
      { nodeLinker: "isolated", hoist: false, storeDir: ".store", allowBuilds: { [PEER]: false } },
    ],
    node: () => [process.execPath],
  },
  {
    name: "yarn with Plug'n'Play",
    program: "node_modules/@yarnpkg/cli-dist/bin/yarn.js",
    settings: [".yarnrc.yml", { nodeLinker: "pnp", enableGlobalCache: false, enableTelemetry: false }],
    node: (yarn: string) => [process.execPath, yarn, "node"],
  },
] as const;

describeInstalled("A project of", ["pnpm@12", "@yarnpkg/cli-dist@4"], ({ folder, tarball }) => {
  describe.each(MANAGERS)("$name", ({ program, settings: [file, settings], node }) => {
    const manager = join(folder, program);
    // Not below the folder in which npm has installed coatcheck: it would be found there.
    let project: string;

    beforeAll(async () => {
      project = mkdtempSync(join(tmpdir(), "coatcheck-user-"));
      writePrograms(project);
      const write = (name: string, content: object) => writeFileSync(join(project, name), JSON.stringify(content));
      write(file, settings);
      write("package.json", {
        dependencies: { coatcheck: `file:${tarball}`, express: "^5.0.0", [PEER]: "^1.2.0" },
      });
      // On a build server they would ask for a lockfile.
      const env = { ...process.env, CI: undefined };
      const { code, stdout, stderr } = await outcomeOf(process.execPath, [manager, "install"], project, env);
      if (code !== 0) throw new Error(stdout + stderr);
    });
    afterAll(() => rmSync(project, { recursive: true }));

    it.each(PROGRAM_NAMES)("runs %s", (name) => expectRuns(node(manager), name, project));
  });
});
