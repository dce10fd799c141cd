import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "../..");
const CHANGELOG =
  "# Changelog\n\n## 0.2.0 – unreleased\n\n### Added\n- A thing.\n\n## 0.1.0 – 2026-01-02\n\n- The first.\n";

describe("the release script", () => {
  let folder: string;
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, encoding: "utf8" });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const commit = () => git("commit", "--all", "--quiet", "--message", "A change");
  const manifest = (test: string) =>
    JSON.stringify({
      name: "a",
      version: "0.1.0",
      scripts: { test, "test:long": "exit 0", "check:package": "exit 0" },
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "coatcheck-release-"));
    mkdirSync(join(folder, ".ci"));
    cpSync(join(ROOT, ".ci/release.mjs"), join(folder, ".ci/release.mjs"));
    write("CHANGELOG.md", CHANGELOG);
    write("package.json", manifest("exit 0"));
    git("init", "--quiet", "--initial-branch", "main");
    git("config", "user.name", "A tester");
    git("config", "user.email", "tester@example.com");
    git("add", ".");
    commit();
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function release(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [".ci/release.mjs", ...args], {
      cwd: folder,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  }

  it("says with --dry-run what it would do, and changes nothing", () => {
    const { status, stdout, stderr } = release("0.2.0", "--dry-run");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/would run: npm test\n[^]*would write: ## 0\.2\.0 – \d{4}-\d\d-\d\d\n$/);
    expect(git("status", "--porcelain")).toBe("");
    expect(read("CHANGELOG.md")).toBe(CHANGELOG);
  });

  it("writes the version and the date, and commits", () => {
    expect(release("0.2.0").status).toBe(0);
    expect(read("CHANGELOG.md")).toMatch(/^## 0\.2\.0 – 2\d{3}-\d\d-\d\d$/m);
    expect(JSON.parse(read("package.json"))).toMatchObject({ version: "0.2.0" });
    expect(git("status", "--porcelain")).toBe("");
    expect(git("log", "-1", "--format=%s")).toBe("Release 0.2.0\n");
  });

  const refusals: [why: string, told: string, prepare: () => void, args: string[]][] = [
    ["a tree that is not clean", "not clean", () => write("CHANGELOG.md", `${CHANGELOG}\n`), ["0.2.0"]],
    ["another branch", "made on main", () => git("switch", "--quiet", "--create", "other"), ["0.2.0"]],
    ["no version", "usage:", () => undefined, []],
    ["no version of three numbers", "not a version", () => undefined, ["v0.2"]],
    ["an older version", "older than 0.1.0", () => undefined, ["0.0.9"]],
    ["a version that is out", "is released", () => undefined, ["0.1.0"]],
  ];
  it.each(refusals)("refuses %s", (_, told, prepare, args) => {
    prepare();
    for (const more of [[], ["--dry-run"]]) {
      const { status, stderr } = release(...args, ...more);
      expect(status).toBe(1);
      expect(stderr).toContain(told);
    }
    expect(git("log", "--format=%s")).toBe("A change\n");
  });

  it.each([
    ["no entries", CHANGELOG.replace("- A thing.", ""), "no entries"],
    ["no head", CHANGELOG.replace("unreleased", "2026-02-03"), "no head"],
  ])("refuses a CHANGELOG with %s", (_, changelog, told) => {
    write("CHANGELOG.md", changelog);
    commit();
    expect(release("0.3.0", "--dry-run")).toMatchObject({ status: 1, stderr: expect.stringContaining(told) });
  });

  it("writes nothing where a check fails", () => {
    write("package.json", manifest("exit 1"));
    commit();
    expect(release("0.2.0").status).toBe(1);
    expect(read("CHANGELOG.md")).toBe(CHANGELOG);
    expect(git("status", "--porcelain")).toBe("");
  });
});
