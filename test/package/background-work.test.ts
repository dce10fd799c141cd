import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Sessions } from "../../lib";
import type { SessionFilter } from "../../lib";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { GuideProject } from "../support/guide-project";
import type { RunningExample } from "../support/guide-project";

/** Runs the guide's app; prints its port, and then each message that it sends. */
const RUN_APP = `
  import { createApp } from "./app.js";
  const app = createApp(async (job) => console.log(JSON.stringify(job)));
  const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;
const ID = /[A-Za-z0-9_-]{43}/;

/** Every program of the guide is compiled with strict types, and run. */
describe("docs/background-work.md", () => {
  const guide = new GuideProject("background-work.md", ["node-cron"]);
  const running: RunningExample[] = [];
  let sessions: Sessions;

  beforeAll(async () => {
    await guide.compile();
    const store = new SqliteStore({ path: join(guide.folder, ".sessions") });
    sessions = new Sessions({ store, clearSchedule: false });
  }, 120_000);
  afterEach(async () => {
    for (const { child, exited } of running.splice(0)) {
      child.kill("SIGKILL");
      await exited;
    }
    await sessions.killAllSessions();
  });
  afterAll(async () => {
    await sessions.close();
    guide.dispose();
  });

  function start(name: string, env: NodeJS.ProcessEnv = {}): RunningExample {
    const example = guide.start(name, [], env);
    running.push(example);
    return example;
  }

  const users = async (filter: SessionFilter = {}) =>
    (await sessions.getSessionInfo({ scope: "clientless", ...filter })).map(({ username }) => username);

  it("has no program that is not run here", () => {
    const run = ["one-job", "await-using", "tasks", "open", "close", "what-is-open", "lease"];
    expect(guide.names).toEqual([...run, "nightly", "app", "worker", "on-behalf"]);
  });

  it.each([
    ["one-job", ["for alice, in a clientless session", "1 letter"]],
    ["await-using", ["counted to 3"]],
    ["tasks", ["3 pages", "1 pages", "1", "stopped"]],
    [
      "on-behalf",
      [
        "undefined in the session of undefined",
        ...["alice", "bob", "carol", "alice"].map((user) => `${user} in the session of alice`),
      ],
    ],
  ])("%s.ts does what it says, and leaves nothing open", async (name, lines) => {
    expect(await guide.output(name)).toEqual(lines);
    expect(await users()).toEqual([]);
    expect(await users({ live: false, username: "alice" })).not.toEqual([]);
  });

  it("open.ts opens a session that stays, what-is-open.ts shows it, and close.ts closes it once", async () => {
    const [id = ""] = await guide.output("open");
    expect(await guide.output("what-is-open")).toEqual([expect.stringMatching(`^${id} alice \\d{4}-`)]);
    expect(await guide.output("close", [id])).toEqual(["closed"]);
    expect(await sessions.getSession(id)).toMatchObject({ endReason: "closed", endedBy: "alice" });
    expect(await guide.output("close", [id])).toEqual(["was over already"]);
    expect(await guide.output("what-is-open")).toEqual([]);
  });

  it("lease.ts, once it is killed, leaves a session that is abandoned", async () => {
    const holder = start("lease");
    const id = await holder.line();
    expect(await sessions.getSession(id)).toMatchObject({ username: "alice", endedAt: null });
    holder.child.kill("SIGKILL");
    await holder.exited;
    while ((await sessions.getSession(id)).endReason === null) await sleep(50);
    expect(await sessions.getSession(id)).toMatchObject({ endReason: "abandoned", endedBy: null });
  });

  it("nightly.ts works for each user when it is time, and ends when told to", async () => {
    const nightly = start("nightly", { STATEMENTS_AT: "* * * * * *" });
    expect([await nightly.line(), await nightly.line()]).toEqual(["statement for alice", "statement for bob"]);
    nightly.child.kill("SIGTERM");
    expect(await nightly.exited).toBe(0);
    expect(await users()).toEqual([]);
  });

  it("app.ts sends messages that worker.ts processes, each in a session of its user's", async () => {
    writeFileSync(join(guide.folder, "run-app.js"), RUN_APP);
    const app = start("run-app");
    const port = await app.line();
    const post = (path: string, cookie = "") =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers: { cookie } });
    expect((await post("/invoices")).status).toBe(401);
    const cookie = (await post("/sign-in/alice")).headers.get("set-cookie")?.split(";")[0];
    expect((await post("/invoices", cookie)).status).toBe(202);
    const message = await app.line();
    expect(JSON.parse(message)).toEqual({ user: "alice", actingFor: "alice", task: "invoice", params: { order: 7 } });

    const worker = start("worker");
    worker.child.stdin.write(`${message}\n`);
    expect(await worker.line()).toMatch(/^invoice in /);
    expect(await worker.line()).toBe("invoice 7 of alice, for alice");
  });

  it("worker.ts says what became of each message, and finishes what it has begun when told to end", async () => {
    const worker = start("worker");
    const send = (job: object) => worker.child.stdin.write(`${JSON.stringify(job)}\n`);
    const begun = async () => ID.exec(await worker.line())![0];

    send({ user: "alice", actingFor: "bob", task: "invoice", params: { order: 8 } });
    await begun();
    expect(await worker.line()).toBe("invoice 8 of alice, for bob");

    send({ user: "alice", task: "unheard of", params: null });
    await begun();
    expect(await worker.line()).toBe("dropped: TASK_UNKNOWN");

    send({ user: "alice", task: "export", params: { ms: 60_000 } });
    const killed = await begun();
    expect(await sessions.killSessionByUser("alice")).toBe(1);
    expect(await worker.line()).toBe("dropped: SESSION_ENDED");
    expect(await sessions.getSession(killed)).toMatchObject({ endReason: "killed" });

    send({ user: "", task: "invoice", params: {} });
    expect(await worker.line()).toBe("to be tried again");

    send({ user: "alice", task: "export", params: { ms: 300 } });
    const last = await begun();
    worker.child.kill("SIGTERM");
    expect(await worker.line()).toBe("export, for alice");
    expect(await worker.exited).toBe(0);
    expect(await sessions.getSession(last)).toMatchObject({ endReason: "closed" });
  });
});
