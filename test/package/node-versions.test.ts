import { rmSync } from "node:fs";
import { join } from "node:path";
import { PEER } from "../../lib/stores/sqlite/file/driver";
import { installedProject } from "../support/installed-project";
import { expectRuns, PROGRAM_NAMES, writePrograms } from "../support/user-programs";
import { describeInstalled } from "../support/user-project";

describe("the Node that runs the tests", () => {
  let folder: string;
  beforeAll(() => {
    folder = installedProject(["express", PEER]);
    writePrograms(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(PROGRAM_NAMES)("runs %s", (name) => expectRuns([process.execPath], name, folder));
});

const VERSIONS = [20, 22, 24, 26];
const NODES = VERSIONS.map((version) => `node${version}@npm:node-${process.platform}-${process.arch}@${version}`);

describeInstalled("Node", ["express@5", `${PEER}@1`, ...NODES], ({ folder }) => {
  beforeAll(() => writePrograms(folder));

  describe.each(VERSIONS)("%i", (version) => {
    const node = join(folder, `node_modules/node${version}/bin/node`);
    it.each(PROGRAM_NAMES)("runs %s", (name) => expectRuns([node], name, folder));
  });
});
