import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LmdbFolder } from "../../lib/stores/lmdb-folder";
import { PacedDeletions } from "../../lib/stores/paced-deletions";
import { compileScripts } from "../support/compiled-scripts";

const scripts = compileScripts(["lib/errors.ts", "lib/record", "lib/stores", "test/support"]);
let path: string;
let folder: LmdbFolder;

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "coatcheck-paced-"));
  folder = new LmdbFolder(path);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await folder.close();
  rmSync(path, { recursive: true });
});

afterAll(() => scripts.dispose());

const uses: [string, () => Promise<unknown>][] = [
  ["writes", () => folder.writing(async () => undefined)],
  ["loads", async () => folder.loading()],
];

it.each(uses)(
  "deletes few at once beside %s of the process, and the more the longer there are none",
  async (_, use) => {
    const clock = jest.spyOn(performance, "now").mockReturnValue(1000);
    const counts = new PacedDeletions(folder).each(endless(), ({ length }) => length);
    const next = async () => {
      // One is under way already when another is asked for.
      await counts.next();
      return (await counts.next()).value as number;
    };
    expect(await next()).toBe(125);
    clock.mockReturnValue(1100);
    expect(await next()).toBe(525);
    clock.mockReturnValue(1900);
    expect(await next()).toBe(3725);
    clock.mockReturnValue(2900);
    expect(await next()).toBe(4000);
    await use();
    expect(await next()).toBe(125);
    await counts.return(undefined);
  },
);

it("has two transactions under way at most, and asks for the next one before the last is committed", async () => {
  const together = folder.together.bind(folder);
  const [state, underWay] = [{ now: 0 }, new Set<number>()];
  jest.spyOn(folder, "together").mockImplementation(async (deletions) => {
    underWay.add((state.now += 1));
    return together(deletions).finally(() => (state.now -= 1));
  });
  const counts = new PacedDeletions(folder).each(endless(), ({ length }) => length);
  for (let transaction = 0; transaction < 20; transaction += 1) await counts.next();
  await counts.return(undefined);
  expect([...underWay]).toEqual([1, 2]);
});

it("counts what was deleted, and hands out all entries in their order", async () => {
  const seen: number[] = [];
  const groups = [[], Array.from({ length: 300 }, (_, n) => n), [], [300], [301, 302]];
  let deleted = 0;
  const remove = (entries: readonly number[]) => {
    seen.push(...entries);
    return entries.filter((entry) => entry % 3 === 0).length;
  };
  for await (const count of new PacedDeletions(folder).each(groups, remove)) deleted += count;
  expect(seen).toEqual(Array.from({ length: 303 }, (_, n) => n));
  expect(deleted).toBe(101);
});

it("P7: tells of a transaction that fails when its turn comes, and leaves no rejection unhandled until then", () => {
  const script = scripts.path("test/support/failing-deletions.ts");
  const answer = execFileSync(process.execPath, [script, path], { env: scripts.env, encoding: "utf8" });
  expect(JSON.parse(answer)).toEqual({
    told: expect.stringMatching(/^\d+ deleted, then SESSION_STORE: full$/),
    unhandled: 0,
  });
});

function* endless(): Generator<string[]> {
  for (let n = 0; ; n += 1) yield Array.from({ length: 500 }, (_, each) => `${n}-${each}`);
}
