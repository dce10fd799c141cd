import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAGE_LEASE_MS } from "../../lib/record/open-pages";
import { send } from "../support/app";
import { compileScripts } from "../support/compiled-scripts";
import { eventStream } from "../support/event-stream";

const CHECK_MS = 1000;
/** How late a timer and a request may be on a busy machine. */
const LATE_MS = 3000;
const ID = "0123456789abcdef0123456789abcdef";

const scripts = compileScripts(["lib", "test/support/pages-process.ts", "test/support/pages-app.ts"]);
let folder: string;
let servers: Server[];

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "coatcheck-pages-"));
  servers = await Promise.all([start(), start()]);
});

afterEach(async () => {
  const running = servers.filter(({ process }) => process.exitCode === null && process.signalCode === null);
  const exits = running.map(({ process }) => once(process, "exit"));
  for (const { process } of running) process.disconnect();
  await Promise.all(exits);
  rmSync(folder, { recursive: true });
});

afterAll(() => scripts.dispose());

async function start(): Promise<Server> {
  const path = scripts.path("test/support/pages-process.ts");
  const process = fork(path, [folder], { env: scripts.env, execArgv: [] });
  const [port] = (await once(process, "message")) as [number];
  return { process, url: `http://127.0.0.1:${port}` };
}

const get = async ({ url }: Server, path: string, cookie?: string) =>
  send("GET", url + path, cookie === undefined ? {} : { cookie });

async function visitor(server: Server): Promise<{ cookie: string; session: string }> {
  const cookie = (await get(server, "/login/alice")).cookie!;
  const headers = { cookie, "content-type": "application/json" };
  const body = JSON.stringify({ id: ID, path: "/cart", title: "Your cart" });
  const opened = await send("POST", `${server.url}/session/pages-open`, headers, body);
  return { cookie, ...(JSON.parse(opened.body) as { session: string }) };
}

const streamOf = ({ url }: Server, cookie: string, since?: string) =>
  eventStream(`${url}/session/pages-events`, {
    cookie,
    ...(since === undefined ? undefined : { "last-event-id": since }),
  });

it("P2: a kill in one process is told to a page of another within the check interval, and so is a message", async () => {
  const [one, two] = servers as [Server, Server];
  const { cookie } = await visitor(one);
  const stream = await streamOf(one, cookie);
  let began = performance.now();
  expect((await get(two, "/send/alice")).body).toBe("1");
  expect(await stream.has(1)).toMatchObject([{ event: "message", data: { event: "hello", data: { from: "afar" } } }]);
  expect(performance.now() - began).toBeLessThan(CHECK_MS + LATE_MS);
  began = performance.now();
  expect((await get(two, "/kill/alice")).body).toBe("1");
  expect((await stream.has(2))[1]).toMatchObject({ event: "ended", data: { reason: "killed", message: "Bye." } });
  expect(performance.now() - began).toBeLessThan(CHECK_MS + LATE_MS);
  await stream.ended;
});

it("a process that is killed loses nothing but its streams: another takes them up, and its pages are counted right within the lease", async () => {
  const [one, two] = servers as [Server, Server];
  const { cookie } = await visitor(one);
  const stream = await streamOf(one, cookie);
  await get(two, "/send/alice");
  await stream.has(1);
  const exited = once(one.process, "exit");
  one.process.kill("SIGKILL");
  await exited;
  await stream.ended;
  expect(JSON.parse((await get(two, "/pages", cookie)).body)).toMatchObject([{ id: ID, path: "/cart" }]);
  await get(two, "/send/alice");
  const back = await streamOf(two, cookie, stream.lastId);
  expect(await back.has(1)).toHaveLength(1);
  expect(back.events[0]!.id! > stream.lastId).toBe(true);

  const told = once(two.process, "message");
  two.process.send(PAGE_LEASE_MS);
  await told;
  expect(JSON.parse((await get(two, "/pages", cookie)).body)).toEqual([]);
  expect((await get(two, "/", cookie)).body).toContain("alice at /");
});
