import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { send } from "../support/app";
import { compileScripts } from "../support/compiled-scripts";

const scripts = compileScripts(["lib", "test/support"]);
afterAll(() => scripts.dispose());

interface Told {
  readonly error?: string;
  readonly thrown?: string;
}

describe.each(["5", "4"])("a promise of the API that nobody awaits, on Express %s", (version) => {
  let server: ChildProcess;
  let url: string;
  let calls: string[];
  let phases: string[];
  let told: Told[];
  let output = "";

  beforeAll(async () => {
    server = fork(scripts.path("test/support/forgetful-server.ts"), [version], {
      env: scripts.env,
      execArgv: [],
      silent: true,
    });
    server.stderr!.on("data", (chunk) => (output += String(chunk)));
    const [hello] = (await once(server, "message")) as [{ port: number; calls: string[]; phases: string[] }];
    ({ calls, phases } = hello);
    url = `http://127.0.0.1:${hello.port}`;
    server.on("message", (message: Told) => told.push(message));
  });
  afterAll(async () => {
    const exited = once(server, "exit");
    server.kill();
    await exited;
  });

  async function ask(phase: string, fault: string, call: string) {
    told = [];
    const { cookie } = await send("GET", `${url}/start`);
    const path = [phase, fault, call].map(encodeURIComponent).join("/");
    const answer = await send("GET", `${url}/${path}`, { cookie }).catch(() => ({ status: 0, body: "broken off" }));
    await send("GET", `${url}/recover`);
    return { status: answer.status, body: answer.body };
  }

  it.each(["killed", "down", "neither"])("ends no process, in any phase of a request: %s", async (fault) => {
    for (const phase of phases) for (const call of calls) await ask(phase, fault, call);
    expect([server.exitCode, output]).toEqual([null, ""]);
  });

  it.each([
    ["save", "killed", 409],
    ["saveThen", "killed", 409],
    ["saveFinally", "killed", 409],
    ["touch", "killed", 409],
    ["reload", "killed", 409],
    ["logout", "killed", 409],
    ["attributeSet", "killed", 409],
    ["keyCreate", "killed", 409],
    ["unstorable", "neither", 500],
    ["attributeUpdate", "neither", 404],
    ["touch", "down", 503],
    ["null", "down", 503],
  ])("fails the response: %s, %s", async (call, fault, status) => {
    expect((await ask("before the response", fault, call)).status).toBe(status);
    expect((await ask("as the response goes", fault, call)).status).toBe(status);
    expect(told).toEqual([]);
  });

  it("fails the response also where it comes from `Sessions`", async () => {
    expect((await ask("before the response", "neither", "getSession")).status).toBe(500);
  });

  it.each([
    ["save", "killed", "SESSION_ENDED"],
    ["touch", "killed", "SESSION_ENDED"],
    ["attributeUpdate", "neither", "ATTRIBUTE_NOT_FOUND"],
    ["unstorable", "neither", "SESSION_VALUE"],
    ["null", "down", "SESSION_STORE"],
    ["getSession", "neither", "SESSION_ARGUMENT"],
  ])("is told by `error` where the response has gone: %s, %s", async (call, fault, code) => {
    expect(await ask("when the response has gone", fault, call)).toMatchObject({ status: 200, body: "ok" });
    while (!told.some(({ error }) => error === code)) await once(server, "message");
    expect(told.filter(({ error }) => error !== undefined)).toEqual([{ error: code }]);
  });
});
