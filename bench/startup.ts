import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { median } from "./statistics";

/** What it costs to load a package into a fresh process. */
export interface Startup {
  readonly name: string;
  /** Wall clock, milliseconds. */
  readonly requireMs: number;
  /** By how much the process's resident memory grows, in MiB. */
  readonly memoryMiB: number;
  readonly loadsDatastore: boolean;
}

const PACKAGES = {
  coatcheck: resolve(__dirname, "../dist/index.js"),
  "coatcheck/sqlite alone": resolve(__dirname, "../dist/stores/sqlite/sqlite-store.js"),
  "express-session": "express-session",
  "cookie-session": "cookie-session",
};

/** Loads the packages alternately, `times` times each and each time in a process of its own; returns medians. */
export function measureStartup(times: number): Startup[] {
  const rounds = Array.from({ length: times }, () => Object.values(PACKAGES).map(loadOnce));
  return Object.keys(PACKAGES).map((name, index) => {
    const runs = rounds.map((round) => round[index]!);
    return {
      name,
      requireMs: median(runs.map((run) => run.requireMs)),
      memoryMiB: median(runs.map((run) => run.memoryMiB)),
      loadsDatastore: runs.some((run) => run.loadsDatastore),
    };
  });
}

function loadOnce(path: string): Omit<Startup, "name"> {
  const script = `
    const memoryBefore = process.memoryUsage.rss();
    const before = performance.now();
    require(${JSON.stringify(path)});
    const requireMs = performance.now() - before;
    const memoryMiB = (process.memoryUsage.rss() - memoryBefore) / 2 ** 20;
    const loadsDatastore = Object.keys(require.cache).some((file) => /@google-cloud|google-gax/.test(file));
    console.log(JSON.stringify({ requireMs, memoryMiB, loadsDatastore }));
  `;
  return JSON.parse(execFileSync(process.execPath, ["-e", script], { cwd: __dirname, encoding: "utf8" })) as Startup;
}
