/**
 * How many files of lib a request passes through with the embedded store: those in which a function was called, by V8's
 * precise coverage. `npm run bench:files`, with `-- --list` for their names. It counts the sources, compiled file by
 * file, and not the few files that are published; one warm-up of each kind comes first.
 */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { Session as Inspector } from "node:inspector/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type * as Coatcheck from "coatcheck";
import type * as CoatcheckSqlite from "coatcheck/sqlite";
import express from "express";
import type { Request } from "express";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import { CONTENT } from "./session-data";
import type { SessionContent } from "./session-data";
import { table } from "./tables";
import { Visitor } from "./visitor";

const ROOT = join(__dirname, "..");
/** By then the store has finished what it does after an answer, such as syncing its file. */
const REST_MS = 200;

interface Kind {
  readonly name: string;
  /** The number of files to reach. */
  readonly most: number;
  readonly run: () => Promise<unknown>;
}

void main();

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-files-"));
  try {
    compileLib(folder);
    await countFiles(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Compiles each file by itself. TypeScript exports plain properties; other compilers export getters, so that using a
 * constant of another file would call a function there.
 */
function compileLib(folder: string): void {
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2023, esModuleInterop: true };
  for (const name of readdirSync(join(ROOT, "lib"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const { outputText } = transpileModule(readFileSync(join(ROOT, "lib", name), "utf8"), { compilerOptions });
    const target = join(folder, "lib", name.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}

async function countFiles(folder: string): Promise<void> {
  const lib = join(folder, "lib");
  const load = createRequire(join(lib, "index.js"));
  const { Sessions } = load("./index.js") as typeof Coatcheck;
  const { SqliteStore } = load("./stores/sqlite/sqlite-store.js") as typeof CoatcheckSqlite;
  const sessions = new Sessions({ store: new SqliteStore({ path: join(folder, "sessions") }), clearSchedule: false });
  const server = appOf(sessions).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const visitor = await Visitor.arrive(port);
  await visitor.get("/sign-in");
  // One for the warm-up, one for the count; making them is not counted.
  const doomed = [await idOfNewSession(port), await idOfNewSession(port)];

  const kinds: Kind[] = [
    { name: "untouched", most: 16, run: () => visitor.get("/untouched") },
    { name: "read", most: 22, run: () => visitor.get("/read") },
    { name: "write", most: 30, run: () => visitor.get("/write") },
    { name: "kill of one session", most: 14, run: () => sessions.kill(doomed.pop() ?? "") },
  ];
  for (const { run } of kinds) await run();
  const passed = new Map<Kind, readonly string[]>();
  for (const kind of kinds) passed.set(kind, await filesOf(kind, lib));
  print(passed);

  visitor.leave();
  server.close();
  await sessions.close();
}

async function idOfNewSession(port: number): Promise<string> {
  const visitor = await Visitor.arrive(port);
  const id = await visitor.get("/sign-in");
  visitor.leave();
  return id;
}

function appOf(sessions: Coatcheck.Sessions): express.Express {
  const contentOf = (req: Request) => req.session as unknown as SessionContent;
  const app = express();
  app.use(sessions.middleware());
  app.get("/sign-in", (req, res) => {
    Object.assign(req.session, CONTENT["200 B"]);
    res.send(req.session.id);
  });
  app.get("/untouched", (_req, res) => {
    res.send("fine");
  });
  app.get("/read", (req, res) => {
    res.send(`language ${contentOf(req).language}`);
  });
  app.get("/write", (req, res) => {
    contentOf(req).visits += 1;
    res.send(`visit ${contentOf(req).visits}`);
  });
  return app;
}

/** The files below `lib` of which a function is called from the start of `run` until its promise resolves. */
async function filesOf({ run }: Kind, lib: string): Promise<string[]> {
  await sleep(REST_MS);
  const inspector = new Inspector();
  inspector.connect();
  await inspector.post("Profiler.enable");
  await inspector.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await run();
  const { result } = await inspector.post("Profiler.takePreciseCoverage");
  inspector.disconnect();
  return result
    .filter(({ url, functions }) => url.startsWith("file:") && functions.some(({ ranges }) => ranges[0]!.count > 0))
    .map(({ url }) => relative(lib, fileURLToPath(url)).replace(/\.js$/, ".ts"))
    .filter((file) => !file.startsWith(".."))
    .sort();
}

function print(passed: ReadonlyMap<Kind, readonly string[]>): void {
  const rows = [...passed].map(([{ name, most }, files]) => [name, String(files.length), `≤ ${most}`]);
  console.log(table(["with the embedded store", "files", "to reach"], rows).join("\n"));
  if (process.argv.includes("--list")) {
    for (const [{ name }, files] of passed)
      console.log(["", `${name}:`, ...files.map((file) => `  ${file}`)].join("\n"));
  }
}
