import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { PacedWrites } from "../../lib/stores/paced-writes";
import { compileScripts } from "../support/compiled-scripts";

const scripts = compileScripts(["lib/errors.ts", "lib/record", "lib/stores", "test/support"]);
let path: string;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-paced-"));
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(path, { recursive: true });
});

afterAll(() => scripts.dispose());

describe("under way at once", () => {
  let folder: LmdbFolder;
  let clock: jest.SpyInstance<number>;
  let underWay: (() => void)[];
  let written: AsyncGenerator<number>;

  beforeEach(() => {
    folder = new LmdbFolder(path);
    clock = jest.spyOn(performance, "now").mockReturnValue(1000);
    underWay = [];
    const write = () => new Promise<number>((resolve) => underWay.push(() => resolve(1)));
    written = new PacedWrites(folder).each(endless([0]), write);
  });

  afterEach(async () => {
    const end = written.return(undefined);
    for (const finish of underWay) finish();
    await end;
    await folder.close();
  });

  async function mostUnderWay(): Promise<number> {
    const next = written.next();
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    const most = underWay.length;
    underWay.shift()?.();
    expect(await next).toEqual({ done: false, value: 1 });
    return most;
  }

  it.each([
    ["writes", () => folder.writing(async () => undefined)],
    ["loads", async () => folder.loading()],
  ])("few beside %s of the process, and more after half a second without", async (_, use) => {
    expect(await mostUnderWay()).toBe(2);
    clock.mockReturnValue(1501);
    expect(await mostUnderWay()).toBe(48);
    await use();
    let most = await mostUnderWay();
    for (let pages = 48; pages > 2; pages -= 1) most = await mostUnderWay();
    expect(most).toBe(2);
  });
});

it("P7: tells of a page that fails when its turn comes, and leaves no rejection unhandled until then", () => {
  const script = scripts.path("test/support/failing-pages.ts");
  const answer = execFileSync(process.execPath, [script, path], { env: scripts.env, encoding: "utf8" });
  expect(JSON.parse(answer)).toEqual({ told: "1 written, then: full", unhandled: 0 });
});

function* endless<T>(page: readonly T[]): Generator<readonly T[]> {
  for (;;) yield page;
}
