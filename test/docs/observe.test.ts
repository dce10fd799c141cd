import diagnostics from "node:diagnostics_channel";
import { createRequire } from "node:module";
import type { Express } from "express";
import type { MeterProvider } from "@opentelemetry/sdk-metrics";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import { MemoryStore } from "../../lib/stores/memory-store";
import { startApp } from "../support/app";
import type { AppOptions, RunningApp } from "../support/app";
import { FaultyStore } from "../support/faulty-store";
import { codeBlocks } from "./code-blocks";
import { readDocument } from "./documents";

const GUIDE = "docs/observe.md";
const BLOCKS = codeBlocks(GUIDE, readDocument(GUIDE));
const load = createRequire(__filename);
const made = new Map<string, object>();

/** Channels are those of the process, which runs the tests of other files, too. */
const subscriptions: Parameters<typeof diagnostics.subscribe>[] = [];
const channels = {
  ...diagnostics,
  subscribe: (...subscription: Parameters<typeof diagnostics.subscribe>) => {
    subscriptions.push(subscription);
    diagnostics.subscribe(...subscription);
  },
};
afterAll(() => {
  for (const subscription of subscriptions) diagnostics.unsubscribe(...subscription);
});

/** Runs a program of the guide, word for word, once; returns what it exports. */
function program(name: string): object {
  const known = made.get(name);
  if (known !== undefined) return known;
  const { code } = BLOCKS.find((block) => block.code.startsWith(`// ${name}.ts\n`))!;
  const { outputText } = transpileModule(code, {
    compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true },
  });
  const exported = {};
  made.set(name, exported);
  const required = (wanted: string): unknown => {
    if (wanted === "node:diagnostics_channel") return channels;
    return wanted.startsWith("./") ? program(wanted.slice(2, -".js".length)) : load(wanted);
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the code of our own guide
  (new Function("require", "exports", outputText) as (...args: unknown[]) => void)(required, exported);
  return exported;
}

/** Every program of the guide is run. */
describe("docs/observe.md", () => {
  let app: RunningApp;

  async function start(build: (app: Express) => void = () => undefined, options?: AppOptions): Promise<void> {
    app = await startApp((express) => {
      build(express);
      express.get("/login", async (req, res) => {
        await req.session.login("alice");
        res.end();
      });
      express.get("/read", (req, res) => res.json(req.session.owner));
    }, options);
  }
  /** A login, two requests with its cookie, a kill, and a request too late. */
  async function use(): Promise<void> {
    const { cookie = "" } = await app.get("/login");
    for (let count = 0; count < 2; count += 1) expect((await app.get("/read", { cookie })).body).toBe('"alice"');
    expect(await app.sessions.killSessionByUser("alice")).toBe(1);
    expect((await app.get("/read", { cookie })).body).toBe('"__guest__"');
  }

  afterEach(() => app.close());

  it("has no program that is not run here", () => {
    const names = BLOCKS.filter(({ language }) => language === "ts").map(
      ({ code }) => /^\/\/ (\S+)\.ts/.exec(code)?.[1],
    );
    expect(names).toEqual(["prometheus", "metrics-route", "opentelemetry", "telemetry"]);
    return start();
  });

  it("prometheus.ts measures what an app does, and metrics-route.ts serves it", async () => {
    const { serveMetrics } = program("metrics-route") as { serveMetrics: (app: Express) => void };
    await start(serveMetrics);
    await use();
    const { headers, body } = await app.get("/metrics");
    expect(headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body.split("\n")).toEqual(
      expect.arrayContaining([
        'session_load_seconds_count{outcome="found",code=""} 2',
        'session_load_seconds_count{outcome="missing",code=""} 1',
        'session_save_seconds_count{operation="create",outcome="saved",code=""} 1',
        "sessions_killed_total 1",
        "sessions_cleared_total 0",
      ]),
    );
  });

  it("has an alarm for what prometheus.ts counts where the store loads and saves nothing", async () => {
    const { serveMetrics } = program("metrics-route") as { serveMetrics: (app: Express) => void };
    const store = new FaultyStore(new MemoryStore());
    await start(serveMetrics, { store });
    const { cookie = "" } = await app.get("/login");
    store.fail("create", "rejects");
    expect((await app.get("/login")).status).toBe(503);
    store.fail("load", "rejects");
    expect((await app.get("/read", { cookie })).status).toBe(503);
    const { body } = await app.get("/metrics");
    const alarms = BLOCKS.find(({ language }) => language === "promql")!.code;
    for (const [, name, codes] of alarms.matchAll(/rate\((\w+_count)\{code=~"(.*)"\}/g)) {
      expect(body).toMatch(new RegExp(`^${name}\\{.*code="${codes}"\\} 1$`, "m"));
    }
    expect(alarms).toMatch(/session_load_seconds_count.*\n.*session_save_seconds_count/);
  });

  it("opentelemetry.ts measures the same, and telemetry.ts prints it", async () => {
    const print = jest.spyOn(console, "dir").mockImplementation(() => undefined);
    const { provider } = program("telemetry") as { provider: MeterProvider };
    program("opentelemetry");
    await start();
    try {
      await use();
      await provider.forceFlush();
      const points = print.mock.calls.flatMap(([{ descriptor, dataPoints }]) =>
        dataPoints.map(({ attributes, value }: { attributes: object; value: number | { count: number } }) => [
          descriptor.name,
          descriptor.unit,
          attributes,
          typeof value === "number" ? value : value.count,
        ]),
      );
      expect(points).toEqual([
        ["session.load.duration", "ms", { outcome: "found" }, 2],
        ["session.load.duration", "ms", { outcome: "missing" }, 1],
        ["session.save.duration", "ms", { operation: "create", outcome: "saved" }, 1],
        ["session.killed", "{session}", {}, 1],
      ]);
    } finally {
      await provider.shutdown();
      print.mockRestore();
    }
  });
});
