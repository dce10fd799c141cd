import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { send } from "../support/app";
import { compileScripts } from "../support/compiled-scripts";
import { signal } from "../support/gate";
import { howMany } from "../support/how-many";

/** What a visitor was told of a session. */
interface Told {
  readonly id: string;
  readonly n: number;
}

const ROUNDS = howMany(10, 50);
const VISITORS = 8;
/** What the visitors of a round are given at least, before the server is killed in the middle of what they ask next. */
const ANSWERS = 4 * VISITORS;
const scripts = compileScripts(["lib", "test/support/sqlite-server.ts"]);
const folder = mkdtempSync(join(tmpdir(), "coatcheck-killed-server-"));
let server: ChildProcess | undefined;

afterEach(() => server?.kill("SIGKILL"));

afterAll(() => {
  scripts.dispose();
  rmSync(folder, { recursive: true });
});

it.each(Array.from({ length: ROUNDS }, (_, index) => index + 1))(
  "P1, P2: a server that is killed in the middle of writes has every save whose response was received, and no session that was replaced (%i)",
  async () => {
    const visits = await visitUntilKilled(ANSWERS * (1 + Math.random()));
    const store = new SqliteStore({ path: folder });
    for (const told of visits) {
      const last = told.at(-1);
      if (last === undefined) continue;
      // The answer to a login may be on its way when the server dies: then the session it replaced is over, too.
      const record = await store.load(last.id);
      if (record !== undefined) expect(Number(record.data.n)).toBeGreaterThanOrEqual(last.n);
      else expect(await reasonOf(store, last.id)).toBe("login");
      for (const { id } of told) if (id !== last.id) expect(await store.load(id)).toBeUndefined();
    }
    await store.close();
    expect(visits.flat().length).toBeGreaterThanOrEqual(ANSWERS);
  },
);

async function visitUntilKilled(afterAnswers: number): Promise<Told[][]> {
  server = fork(scripts.path("test/support/sqlite-server.ts"), [folder], { env: scripts.env, execArgv: [] });
  const [port] = (await once(server, "message")) as [number];
  const { given: hadEnough, give } = signal();
  let answers = 0;
  const told = () => {
    answers += 1;
    if (answers >= afterAnswers) give();
  };
  const visits = Array.from({ length: VISITORS }, () => visit(`http://127.0.0.1:${port}`, told));
  await hadEnough;
  await delay(Math.random() * 10);
  server.kill("SIGKILL");
  await once(server, "close");
  return Promise.all(visits);
}

/** Visits until the server is gone, and logs in now and then. */
async function visit(url: string, onAnswer: () => void): Promise<Told[]> {
  const told: Told[] = [];
  let cookie: string | undefined;
  for (let request = 1; ; request += 1) {
    const path = request % 5 === 0 ? "/login" : "/count";
    const answer = await send("GET", url + path, cookie === undefined ? {} : { cookie }).catch(() => undefined);
    if (answer === undefined) return told;
    expect(answer.status).toBe(200);
    cookie = answer.cookie ?? cookie;
    told.push(JSON.parse(answer.body) as Told);
    onAnswer();
  }
}

async function reasonOf(store: SqliteStore, id: string): Promise<string | undefined> {
  for await (const record of store.find({ state: "ended", id })) return "reason" in record ? record.reason : undefined;
  return undefined;
}
