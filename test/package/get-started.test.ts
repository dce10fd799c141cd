import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PEER } from "../../lib/stores/sqlite/file/driver";
import { freePort } from "../support/free-port";
import { installedProject } from "../support/installed-project";

const run = promisify(execFile);
const ROOT = join(__dirname, "../..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
/** scrypt takes its time, and more of it on a busy machine. */
jest.setTimeout(120_000);

const CLI = "node_modules/coatcheck/dist/cli/coatcheck.js";

/** The programs of the guide run in the folder that it makes. */
describe("docs/get-started.md", () => {
  let folder: string;
  let running: ChildProcess | undefined;
  /** What the running program has written to stderr. */
  let complaints = "";

  beforeAll(async () => {
    folder = installedProject(["express", "@types", PEER], { type: "module" });
    const guide = readFileSync(join(ROOT, "docs/get-started.md"), "utf8");
    for (const [, name = "", code = ""] of guide.matchAll(/^```(?:js|ts)\n\/\/ (\S+)\n([^]*?)^```/gm)) {
      writeFileSync(join(folder, name), code);
    }
    writeFileSync(join(folder, "tsconfig.json"), /^```json\n([^]*?)^```/m.exec(guide)?.[1] ?? "");
    for (const name of ["typed", "with-console"]) mkdirSync(join(folder, name));
    const program = (name: string) => readFileSync(join(folder, name), "utf8");
    writeFileSync(join(folder, "typed/app.ts"), program("app.js"));
    writeFileSync(join(folder, "typed/users.ts"), changedBy(diffIn(guide), program("users.js")));
    const consoleGuide = readFileSync(join(ROOT, "docs/console.md"), "utf8");
    writeFileSync(join(folder, "with-console/app.js"), changedBy(diffIn(consoleGuide), program("app.js")));
    writeFileSync(join(folder, "with-console/users.js"), program("users.js"));
    await run(process.execPath, [TSC, "--types", "node"], { cwd: folder }).catch((error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    });
  });
  afterEach(() => stop());
  afterAll(() => rmSync(folder, { recursive: true }));

  async function stop(): Promise<void> {
    running?.kill("SIGKILL");
    if (running?.exitCode === null && running.signalCode === null) await once(running, "close");
  }

  const env = () => ({ PATH: process.env.PATH });

  async function start(program: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
    const port = await freePort();
    const child = spawn(process.execPath, [program], { cwd: folder, env: { ...env(), ...more, PORT: String(port) } });
    running = child;
    complaints = "";
    child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
    const [line] = await Promise.race([
      once(child.stdout, "data"),
      once(child, "close").then(() => [`${program} ended: ${complaints}`]),
    ]);
    expect(String(line)).toBe("listening\n");
    return `http://127.0.0.1:${port}`;
  }

  /** A browser: it keeps the cookie of each response. */
  function visitor() {
    let cookie = "";
    return async (url: string, form?: Record<string, string>) => {
      const options = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
      const response = await fetch(url, { ...options, headers: { cookie }, redirect: "manual" });
      cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
      return { status: response.status, text: await response.text() };
    };
  }

  it.each(["visits.js", "visits.cjs", "visits-typed.js"])("%s counts visits, also after a restart", async (program) => {
    const visit = visitor();
    const first = await start(program);
    expect(await visit(first)).toEqual({ status: 200, text: "Visit number 1" });
    expect(await visit(first)).toEqual({ status: 200, text: "Visit number 2" });
    await stop();
    expect(await visit(await start(program))).toEqual({ status: 200, text: "Visit number 3" });
  });

  it("app.js fails in production on plain HTTP, and says why", async () => {
    const base = await start("app.js", { NODE_ENV: "production" });
    expect((await visitor()(base)).status).toBe(500);
    // Express logs the error after the response.
    while (!complaints.includes("SESSION_INSECURE")) await once(running!.stderr!, "data");
  });

  describe.each(["app.js", "typed/app.js", "with-console/app.js"])("%s", (program) => {
    let base: string;
    let browse: ReturnType<typeof visitor>;
    const visit = (path: string, form?: Record<string, string>) => browse(base + path, form);
    const home = async () => (await visit("/")).text;
    const signIn = async (password: string) => {
      const form = { name: "alice", password, securityKey: keyOf(await home()) };
      return (await visit("/sign-in", form)).status;
    };
    const coatcheck = (...args: string[]) => run(process.execPath, [CLI, ...args], { cwd: folder, env: env() });
    beforeEach(async () => {
      base = await start(program);
      browse = visitor();
    });

    it("fails where its port is taken", async () => {
      const failing = run(process.execPath, [program], { cwd: folder, env: { ...env(), PORT: new URL(base).port } });
      await expect(failing).rejects.toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("EADDRINUSE"),
      });
    });

    it("has the console for alice, if that was added", async () => {
      const CONSOLE = "/admin/sessions";
      const [guests, alices] = program === "with-console/app.js" ? [401, 200] : [404, 404];
      expect((await visit(CONSOLE)).status).toBe(guests);
      expect(await signIn("correct horse")).toBe(302);
      expect((await visit(CONSOLE)).status).toBe(alices);
    });

    it("signs alice in and out", async () => {
      expect(await signIn("wrong")).toBe(401);
      expect((await visit("/sign-in", { name: "alice", password: "correct horse" })).status).toBe(403);
      expect(await signIn("correct horse")).toBe(302);
      expect(await home()).toContain("Hello, alice!");
      expect((await visit("/sign-out", { securityKey: keyOf(await home()) })).status).toBe(302);
      expect(await home()).not.toContain("Hello");
    });

    it("has a session that the command line lists and ends", async () => {
      expect(await signIn("correct horse")).toBe(302);
      expect((await coatcheck("list")).stdout).toContain("alice");
      const kill = coatcheck("kill", "--user", "alice", "--message", "Please sign in again.");
      kill.child.stdin?.end("yes\n");
      await kill;
      expect(await home()).not.toContain("Hello");
    });
  });
});

/** The first block of a guide that changes one of its programs. */
function diffIn(guide: string): string {
  return /^```diff\n\/\/ \S+\n([^]*?)^```/m.exec(guide)?.[1] ?? "";
}

/** A program with each line that begins with "-" replaced by those with "+" that follow it. */
function changedBy(diff: string, program: string): string {
  return [...diff.matchAll(/^-(.*\n)((?:\+.*\n)+)/gm)].reduce((code, [, before = "", after = ""]) => {
    expect(code).toContain(`\n${before}`);
    return code.replace(before, () => after.replace(/^\+/gm, ""));
  }, program);
}

function keyOf(page: string): string {
  return /name="securityKey" value="([^"]+)"/.exec(page)?.[1] ?? "";
}
