/**
 * What `coatcheck copy` takes for many sessions: `npx tsx bench/copying.ts ADDRESS… [--sessions 1000000]`. It fills an
 * embedded store in a temporary folder with sessions of about 200 bytes, and copies it to each address, which should be
 * an empty store, in a process of its own, whose memory it watches; then once more, when nothing has changed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dictionary } from "../lib/record/session-record";
import { liveRecord } from "../lib/testing/store-contract/sample-records";
import { SqliteStore } from "../lib/stores/sqlite/sqlite-store";
import { compileScripts } from "../test/support/compiled-scripts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { sessions: { type: "string", default: "1000000" } },
});
const COUNT = Number(values.sessions);
const SEEDED_AT_ONCE = 1_000;
const WATCHED_EVERY_MS = 1_000;

async function seed(path: string): Promise<void> {
  const store = new SqliteStore({ path });
  for (let made = 0; made < COUNT; made += SEEDED_AT_ONCE) {
    const records = Array.from({ length: SEEDED_AT_ONCE }, (_, at) =>
      liveRecord({
        owner: `user-${(made + at) % 100_000}`,
        endsAt: Infinity,
        data: Object.assign(dictionary<string>(), { cart: JSON.stringify({ tea: "x".repeat(190) }) }),
      }),
    );
    await Promise.all(records.map((record) => store.create(record)));
  }
  await store.close();
}

async function copied(script: string, env: NodeJS.ProcessEnv, from: string, to: string): Promise<void> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [script, "copy", "--from", from, "--to", to, "--once"], {
    env,
    stdio: "inherit",
  });
  const samples: number[] = [];
  const watch = setInterval(() => {
    const resident = residentMiB(child.pid);
    if (resident > 0) samples.push(resident);
  }, WATCHED_EVERY_MS);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(watch);
  const seconds = (performance.now() - startedAt) / 1_000;
  const at = (part: number) => samples[Math.floor((samples.length - 1) * part)] ?? 0;
  const memory = [0.1, 0.5, 1].map((part) => `${at(part)} MiB at ${part * 100} %`).join(", ");
  console.log(
    `exit code ${code}; ${seconds.toFixed(0)} s, ${Math.round(COUNT / seconds)} a second; resident ${memory}`,
  );
}

function residentMiB(pid: number | undefined): number {
  try {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.round(Number(kib ?? 0) / 1_024);
  } catch {
    return 0;
  }
}

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-copying-"));
  const scripts = compileScripts(["lib"]);
  try {
    await seed(folder);
    for (const to of positionals) {
      console.log(new URL(to).protocol);
      for (let time = 0; time < 2; time += 1) {
        await copied(scripts.path("lib/cli/coatcheck.ts"), scripts.env, `sqlite:${folder}`, to);
      }
    }
  } finally {
    scripts.dispose();
    rmSync(folder, { recursive: true });
  }
}

void run();
