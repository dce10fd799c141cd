import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { canPin } from "./cores";

/** Where and when the numbers were measured, and on which code, in one line each. */
export function describeMachine(): string[] {
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Commit: ${commit()}`,
    `Machine: ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`,
    `Node ${process.version}; server and load ${canPin ? "each pinned to a core of its own" : "not pinned to cores"}`,
    `Load average when it began: ${loadavg()[0]?.toFixed(1) ?? "unknown"}; over 1, other work disturbs the numbers`,
  ];
}

function commit(): string {
  try {
    const head = git("rev-parse", "--short", "HEAD");
    const changes = git("status", "--porcelain", "--", ":/lib", ":/bench", ":(top,exclude)bench/results*");
    return changes === "" ? head : `${head}, with changes`;
  } catch {
    return "none yet";
  }
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: __dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
