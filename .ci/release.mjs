import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/**
 * Makes a release: `npm run release -- 1.2.3`. Checks that the tree is clean and on main, that CHANGELOG.md has entries,
 * and that the tests and the checks of the package pass; then writes the version and the date, and commits. It neither
 * tags nor publishes. With --dry-run it makes the quick checks only, prints what it would do, and changes nothing.
 */
const UNRELEASED = /^## .+ – unreleased$/m;
const CHECKS = [
  ["npm", "test"],
  ["npm", "run", "test:long"],
  ["npm", "run", "check:package"],
];

function release(args) {
  const isDry = args.includes("--dry-run");
  const [version, ...others] = args.filter((arg) => arg !== "--dry-run");
  if (version === undefined || others.length > 0) throw new Refused("usage: npm run release -- VERSION [--dry-run]");
  const changelog = readFileSync("CHANGELOG.md", "utf8");
  assertNext(version, JSON.parse(readFileSync("package.json", "utf8")).version, changelog);
  assertTree();
  const released = withHead(changelog, version, new Date());
  if (isDry) {
    for (const check of CHECKS) console.log(`would run: ${check.join(" ")}`);
    console.log(`would write: ${headOf(version, new Date())}`);
    return;
  }
  for (const [command, ...rest] of CHECKS) execFileSync(command, rest, { stdio: "inherit" });
  // A check may have left files behind.
  assertTree();
  writeFileSync("CHANGELOG.md", released);
  execFileSync("npm", ["version", version, "--no-git-tag-version", "--allow-same-version"], { stdio: "ignore" });
  git("commit", "--all", "--quiet", "--message", `Release ${version}`);
  console.log(`${version} is committed. Now: git tag v${version}, git push --tags, npm publish`);
}

class Refused extends Error {}

function assertNext(version, current, changelog) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Refused(`${version} is not a version such as 1.2.3.`);
  if (compared(version, current) < 0) throw new Refused(`${version} is older than ${current}, which package.json has.`);
  if (changelog.includes(`\n## ${version} – 2`)) throw new Refused(`CHANGELOG.md says that ${version} is released.`);
}

function assertTree() {
  if (git("status", "--porcelain") !== "") throw new Refused("The tree is not clean: commit first.");
  const branch = git("branch", "--show-current");
  if (branch !== "main") throw new Refused(`This is ${branch}; releases are made on main.`);
}

function withHead(changelog, version, now) {
  const head = UNRELEASED.exec(changelog);
  if (head === null) throw new Refused("CHANGELOG.md has no head such as: ## 1.2.3 – unreleased");
  const [entries] = changelog.slice(head.index + head[0].length).split(/^## /m);
  if (!/^- \S/m.test(entries)) throw new Refused("CHANGELOG.md has no entries for this release.");
  return changelog.replace(UNRELEASED, headOf(version, now));
}

function headOf(version, now) {
  return `## ${version} – ${now.toISOString().slice(0, 10)}`;
}

function compared(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  return left.map((part, at) => part - right[at]).find((difference) => difference !== 0) ?? 0;
}

function git(...args) {
  return execFileSync("git", args, { encoding: "utf8" }).trim();
}

try {
  release(process.argv.slice(2));
} catch (error) {
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}
