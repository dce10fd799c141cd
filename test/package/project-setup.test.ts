import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, symlink, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { PEER } from "../../lib/stores/sqlite/file/driver";
import { packInto } from "../support/packed-package";
import { WHOLE_APP } from "../support/whole-app";

const run = promisify(execFile);
const root = join(__dirname, "../..");
const bin = (name: string) => join(root, "node_modules/.bin", name);

/** What a stranger also installs to write TypeScript. */
const EXPRESS_TYPES = [
  ...["node", "express", "express-serve-static-core", "body-parser", "connect", "http-errors", "qs", "range-parser"],
  ...["send", "serve-static"],
].map((name) => `@types/${name}`);

/** The tarball that would be published, unpacked where a stranger would have it: in an empty project's node_modules. */
describe("the packed tarball", () => {
  let folder: string;
  let tarball: string;
  let files: readonly string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "coatcheck-pack-"));
    ({ tarball, files } = packInto(folder));
    const modules = join(folder, "node_modules");
    await mkdir(modules);
    await run("tar", ["-xzf", tarball, "-C", modules]);
    await run("mv", [join(modules, "package"), join(modules, "coatcheck")]);
    // Its dependencies, as npm would have put them beside it.
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    for (const name of [...Object.keys(manifest.dependencies), "express", PEER, ...EXPRESS_TYPES]) {
      await mkdir(dirname(join(modules, name)), { recursive: true });
      await symlink(join(root, "node_modules", name), join(modules, name));
    }
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const inProject = async (name: string, code: string, args: string[] = []) => {
    await writeFile(join(folder, name), code);
    return (await run(process.execPath, [...args, name], { cwd: folder })).stdout.trim();
  };

  it("holds the build and the documents, and nothing else", () => {
    const others = files.filter((file) => !/^(dist\/.+\.(js|d\.ts)|docs\/.+\.(md|png|gif))$/.test(file));
    const documents = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"];
    expect(others.sort()).toEqual([...documents, "package.json"]);
    expect(files).toEqual(expect.arrayContaining(["dist/index.js", "docs/attributes.md"]));
  });

  it("can be required and imported, with one copy of every class", async () => {
    const code = `
      const required = require("coatcheck");
      import("coatcheck").then((imported) => {
        console.log(typeof required.sessionMiddleware, imported.SessionError === required.SessionError,
          require("coatcheck/testing").MemoryStore === require("coatcheck/testing").MemoryStore);
      });`;
    expect(await inProject("both.cjs", code)).toBe("function true true");
  });

  it("requires nothing but Node, its dependencies and its peers", async () => {
    const { dependencies, peerDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
    };
    const mayRequire = new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies)]);
    const built = await Promise.all(
      files.filter((file) => file.endsWith(".js")).map((file) => readFile(join(root, file), "utf8")),
    );
    const required = [...built.join("\n").matchAll(/\brequire\("([^.][^"]*)"\)/g)].map((match) => match[1]!);
    expect(required).toEqual(expect.arrayContaining(["node:crypto", "cookie", "node-cron"]));
    expect(required.filter((name) => !name.startsWith("node:") && !mayRequire.has(name))).toEqual([]);
  });

  it("runs in strict mode", async () => {
    const scripts = files.filter((file) => file.endsWith(".js"));
    const built = await Promise.all(scripts.map((file) => readFile(join(root, file), "utf8")));
    const first = built.map((text) => text.split("\n").find((line) => !line.startsWith("#!")));
    expect(new Set(first)).toEqual(new Set(['"use strict";']));
  });

  it("has few files, and its root loads fewer than twenty", async () => {
    const code = `
      require("coatcheck");
      console.log(Object.keys(require.cache).filter((file) => /coatcheck.dist/.test(file)).length);`;
    const loaded = Number(await inProject("few.cjs", code));
    expect(loaded).toBeGreaterThan(0);
    expect(loaded).toBeLessThan(20);
  });

  it("loads neither store with its root, and each only by its own subpath", async () => {
    const code = `
      require("coatcheck");
      const loaded = (name) => Object.keys(require.cache).some((file) => file.includes(name));
      const atRoot = [loaded("/sqlite/"), loaded("@google-cloud"), loaded("/express/")];
      require("coatcheck/sqlite");
      console.log(JSON.stringify([atRoot, loaded("/sqlite/"), loaded("@google-cloud")]));`;
    expect(JSON.parse(await inProject("loaded.cjs", code))).toEqual([[false, false, false], true, false]);
  });

  it("has the middleware for Express itself under a subpath that loads nothing else", async () => {
    const code = `
      const { expressShapes } = require("coatcheck/express-shapes");
      const loaded = Object.keys(require.cache).filter((file) => /coatcheck.dist/.test(file)).length;
      expressShapes()({}, {}, () => console.log(loaded));`;
    expect(await inProject("shapes.cjs", code)).toBe("1");
  });

  it("loads what is told of sessions, the clearing job, sessions without a client and the console when they are first used", async () => {
    const code = `
      const { Sessions, sessionConsole } = require("coatcheck");
      const { MemoryStore } = require("coatcheck/testing");
      const ROOMS = ["admin/admin-room.js", "jobs/clear-schedule.js", "clientless/clientless-sessions.js", "admin/console/console-handler.js"];
      const snapshots = [];
      const look = () => snapshots.push(ROOMS.map((room) => Object.keys(require.cache).some((file) => file.endsWith(room))));
      const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false });
      sessions.middleware();
      sessions.killAllSessions().then(look)
        .then(() => sessions.getSessionInfo()).then(look)
        .then(() => sessions.startClearSessions()).then(look)
        .then(() => sessions.withClientlessSession("alice", () => undefined)).then(look)
        .then(() => sessionConsole()).then(look)
        .then(() => sessions.close()).then(() => console.log(JSON.stringify(snapshots)));`;
    expect(JSON.parse(await inProject("rooms.cjs", code))).toEqual([
      [false, false, false, false],
      [true, false, false, false],
      [true, true, false, false],
      [true, true, true, false],
      [true, true, true, true],
    ]);
  });

  it("has the command line, which makes a secret", async () => {
    const { stdout } = await run(process.execPath, ["node_modules/coatcheck/dist/cli/coatcheck.js", "secret"], {
      cwd: folder,
    });
    expect(stdout).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  });

  it("runs a whole app, as it is installed", async () => {
    await writeFile(join(folder, "installed.cjs"), WHOLE_APP.commonjs);
    const { stdout } = await run(process.execPath, ["installed.cjs", "embedded"], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(WHOLE_APP.told);
  });

  it("serves the README's first example, with types", async () => {
    const readme = await readFile(join(root, "README.md"), "utf8");
    const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? "";
    expect(example).toContain("sessionMiddleware()");
    await writeFile(join(folder, "example.ts"), example.replace("app.listen(3000)", "void app"));
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--types", "node", "--esModuleInterop"];
    await run(bin("tsc"), [...options, "example.ts"], { cwd: folder }).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    });
  }, 120_000);

  it("passes publint", async () => {
    const { stdout } = await run(bin("publint"), ["run", tarball, "--strict"], { cwd: root });
    expect(stdout).toMatch(/All good/);
  });

  it("has the right types for every way of resolving it", async () => {
    const { stdout } = await run(bin("attw"), [tarball, "--profile", "node16", "--format", "json"], { cwd: root });
    const { problems = {} } = JSON.parse(stdout) as { problems?: Record<string, { resolutionKind: string }[]> };
    // Node 10's resolution knows no subpaths; the root has `main` and `types` for it.
    expect(
      Object.values(problems)
        .flat()
        .filter((problem) => problem.resolutionKind !== "node10"),
    ).toEqual([]);
  }, 120_000);

  it("has a file for every subpath of its exports", async () => {
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      exports: Record<string, unknown>;
    };
    const dist = await readdir(join(root, "dist"), { recursive: true });
    for (const target of Object.values(manifest.exports)) {
      for (const file of typeof target === "string" ? [] : Object.values(target as Record<string, string>)) {
        expect(dist).toContain(file.replace("./dist/", ""));
      }
    }
  });
});
