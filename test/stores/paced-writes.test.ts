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

it("has few pages under way beside other writes of the process, and more after half a second without", async () => {
  const folder = new LmdbFolder(path);
  const clock = jest.spyOn(performance, "now").mockReturnValue(1000);
  const underWay: (() => void)[] = [];
  const write = () => new Promise<number>((resolve) => underWay.push(() => resolve(1)));
  const written = new PacedWrites(folder).each(endless([0]), write);
  const mostUnderWay = async () => {
    const next = written.next();
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    const most = underWay.length;
    underWay.shift()?.();
    expect(await next).toEqual({ done: false, value: 1 });
    return most;
  };

  expect(await mostUnderWay()).toBe(4);
  clock.mockReturnValue(1501);
  expect(await mostUnderWay()).toBe(24);
  await folder.writing(async () => undefined);
  let most = await mostUnderWay();
  for (let pages = 24; pages > 4; pages -= 1) most = await mostUnderWay();
  expect(most).toBe(4);

  const end = written.return(undefined);
  for (const finish of underWay) finish();
  await end;
  await folder.close();
});

it("P7: tells of a page that fails when its turn comes, and leaves no rejection unhandled until then", () => {
  const script = scripts.path("test/support/failing-pages.ts");
  const answer = execFileSync(process.execPath, [script, path], { env: scripts.env, encoding: "utf8" });
  expect(JSON.parse(answer)).toEqual({ told: "1 written, then: full", unhandled: 0 });
});

function* endless<T>(page: readonly T[]): Generator<readonly T[]> {
  for (;;) yield page;
}
