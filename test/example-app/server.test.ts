import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import request from "supertest";
import { describeOnEmulator, emulatorHost } from "../support/datastore-emulator";
import { describeOnPostgres, freshSchema, postgresUrl } from "../support/postgres-server";
import { eventStream } from "../support/event-stream";
import { cartCount, cookiesOf, post } from "./open-tea-house";

const ROOT = resolve(__dirname, "../..");

interface RunningServer {
  readonly process: ChildProcess;
  readonly url: string;
  readonly printed: string;
}

describe("npm start", () => {
  let folder: string;
  const running: ChildProcess[] = [];

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "tea-house-"))));
  afterEach(async () => {
    await Promise.all(running.splice(0).map(stop));
    await rm(folder, { recursive: true, force: true });
  });

  /**
   * Starts the server in a folder of its own, where it keeps its sessions; resolves when it has printed how to reach
   * it.
   */
  async function start(env: Record<string, string | undefined> = {}): Promise<RunningServer> {
    const server = spawn(process.execPath, ["--import", require.resolve("tsx"), join(ROOT, "example-app/server.ts")], {
      cwd: folder,
      env: { PATH: process.env.PATH, TSX_TSCONFIG_PATH: join(ROOT, "tsconfig.json"), PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(server);
    let printed = "";
    for (const stream of [server.stdout, server.stderr])
      stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    while (!printed.includes("Ctrl+C")) {
      if (server.exitCode !== null) throw new Error(`The server did not start:\n${printed}`);
      await Promise.race([once(server.stdout, "data"), once(server, "exit")]);
    }
    const url = /http:\/\/\S+/.exec(printed)?.[0];
    if (url === undefined) throw new Error(`The server printed no address:\n${printed}`);
    return { process: server, url, printed };
  }

  test("prints its address and its accounts, and the password that it prints works", async () => {
    const { url, printed } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const passwords = ["alice", "bob", "admin"].map((name) => new RegExp(`${name} +(\\S+)`).exec(printed)?.[1]);
    expect(new Set(passwords).size).toBe(3);

    const answer = await post(request.agent(url), "/sign-in", { username: "alice", password: passwords[0]! });
    expect(answer.status).toBe(303);
  });

  test("SIGTERM stops it at once, though a page is open and has its event stream", async () => {
    const server = await start({ DEMO_PASSWORD: "first flush" });
    const visitor = request.agent(server.url);
    const answer = await post(visitor, "/sign-in", { username: "alice", password: "first flush" });
    const cookie = cookiesOf(answer)[0]!.split(";")[0]!;
    const stream = await eventStream(`${server.url}/session/pages-events`, { cookie });
    expect(stream.status).toBe(200);
    const asked = performance.now();
    expect(await stop(server.process)).toEqual([0, null]);
    expect(performance.now() - asked).toBeLessThan(4_000);
    await stream.ended;
  });

  test("SIGTERM stops it cleanly, and its sessions are still there at the next start", async () => {
    const first = await start();
    const [cookie] = cookiesOf(await post(request.agent(first.url), "/cart/matcha/add"));
    expect(await stop(first.process)).toEqual([0, null]);

    const second = await start();
    expect(cartCount(await request(second.url).get("/cart").set("Cookie", cookie!.split(";")[0]!))).toBe(1);
  });

  test("without PORT, it takes a free port where 3000 is taken", async () => {
    const other = createServer();
    const isTaken = await new Promise<boolean>((resolve) => {
      other.once("error", () => resolve(true)).listen(3000, "127.0.0.1", () => resolve(false));
    });
    try {
      const { url } = await start({ PORT: undefined });
      expect(new URL(url).port).not.toBe("3000");
      await request(url).get("/").expect(200);
    } finally {
      if (!isTaken) other.close();
    }
  });

  test("a PORT that is taken is an error, not another port", async () => {
    const { url } = await start();
    await expect(start({ PORT: new URL(url).port })).rejects.toThrow("EADDRINUSE");
  });

  /** Starts two instances that have nothing in common but these variables. */
  async function shareSessions(variables: Record<string, string>): Promise<void> {
    const env = { ...variables, DEMO_PASSWORD: "oolong" };
    const [here, there] = await Promise.all([start(env), start(env)]);
    const alice = request.agent(here.url);
    const signedIn = await post(alice, "/sign-in", { username: "alice", password: "oolong" });
    const cookie = cookiesOf(signedIn)[0]!.split(";")[0]!;
    expect((await post(alice, "/cart/matcha/add")).status).toBe(303);
    expect(cartCount(await request(there.url).get("/cart").set("Cookie", cookie))).toBe(1);

    const admin = request.agent(there.url);
    await post(admin, "/sign-in", { username: "admin", password: "oolong" });
    await post(admin, "/admin/users/alice/end-sessions");
    expect(cartCount(await request(here.url).get("/cart").set("Cookie", cookie))).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  }

  const SHARED = "instances share sessions, and one that the admin ends on one instance is over on the other";

  describeOnEmulator("with the variables of a Datastore set, and nothing else changed,", () => {
    test(SHARED, () =>
      shareSessions({
        DATASTORE_EMULATOR_HOST: emulatorHost(),
        DATASTORE_PROJECT_ID: `tea-house-${Date.now().toString(36)}`,
        METADATA_SERVER_DETECTION: "none",
      }),
    );
  });

  describeOnPostgres("with COATCHECK_STORE set to an address of PostgreSQL, and nothing else changed,", () => {
    test(SHARED, () => shareSessions({ COATCHECK_STORE: `${postgresUrl()}?schema=${freshSchema()}` }));
  });
});

async function stop(server: ChildProcess): Promise<unknown[]> {
  if (server.exitCode !== null || server.signalCode !== null) return [server.exitCode, server.signalCode];
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  return exited;
}
