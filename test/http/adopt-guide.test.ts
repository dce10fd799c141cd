import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import express from "express";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";
import type { Pool } from "pg";
import { send, startApp } from "../support/app";
import { describeOnPostgres, dropSchema, freshSchema, inPostgres, postgresUrl } from "../support/postgres-server";
import { describeOnRedis, redisUrl, withRedis } from "../support/redis-server";

type Guide = Record<"adoptFromRedis" | "adoptFromPostgres", (req: object) => Promise<any>>;

/** These have no types here. */
const load: (name: string) => any = createRequire(__filename);
const OLD_SECRET = "the secret of express-session";
const secrets = ["a secret of the tests, which has more than 32 bytes"];
const expressSession = load("express-session");

/** Runs the guide's first program and the one of this number, word for word. */
async function programs(number: 1 | 2, onMade: (client: any) => void): Promise<Guide> {
  const text = readFileSync(join(__dirname, "../../docs/from-express-session.md"), "utf8");
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block);
  const { outputText } = transpileModule(`${blocks[0]}\n${blocks[number]}`, {
    compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true },
  });
  const exported = {} as Guide;
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  const client = number === 1 ? "redis" : "pool";
  await AsyncFunction("require", "exports", "onMade", `${outputText}\nonMade(${client});`)(load, exported, onMade);
  return exported;
}

/** Signs in with express-session on this store, then asks an app of ours with its cookie, twice at once. */
async function takeOver(store: any, adopt: (req: object) => Promise<any>) {
  const app = express();
  app.use(expressSession({ secret: OLD_SECRET, store, resave: false, saveUninitialized: false }));
  app.get("/login", (req, res) => {
    Object.assign(req.session, { user: "alice", tea: "black" });
    res.end();
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const { headers } = await send("GET", `http://127.0.0.1:${port}/login`);
  server.close();
  const cookie = String(headers["set-cookie"]?.[0]).replace(/;.*/, "");
  expect(cookie).toMatch(/^connect\.sid=s%3A/);
  const ours = await startApp(
    (routes) => routes.get("/", (req, res) => res.json([req.session.owner, { ...req.session }])),
    { secrets, adopt },
  );
  const forged = await ours.get("/", { cookie: `${cookie.slice(0, -3)}AAA` });
  const answers = await Promise.all([ours.get("/", { cookie }), ours.get("/", { cookie })]);
  const late = await ours.get("/", { cookie });
  const next = await ours.get("/", { cookie: `${cookie}; ${answers[0].cookie}` });
  const count = (await ours.sessions.getSessionInfo()).length;
  await ours.close();
  expect(JSON.parse(forged.body)).toEqual(["__guest__", {}]);
  for (const { body } of [...answers, late, next]) {
    expect(JSON.parse(body)).toEqual(["alice", { tea: "black", user: "alice" }]);
  }
  expect(count).toBe(1);
  return decodeURIComponent(cookie.slice("connect.sid=s%3A".length)).split(".")[0];
}

beforeAll(() => {
  process.env.OLD_SECRET = OLD_SECRET;
});
afterAll(() => {
  for (const name of ["OLD_SECRET", "REDIS_URL", "POSTGRES_URL"]) delete process.env[name];
});

describeOnRedis("docs/from-express-session.md with connect-redis", () => {
  it("takes over real sessions", async () => {
    process.env.REDIS_URL = redisUrl();
    let redis: any;
    const { adoptFromRedis } = await programs(1, (client) => (redis = client));
    const { RedisStore } = load("connect-redis");
    const id = await takeOver(new RedisStore({ client: redis }), adoptFromRedis);
    expect(await withRedis((client) => client.exists(`sess:${id}`))).toBe(0);
    await redis.close();
  });
});

describeOnPostgres("docs/from-express-session.md with connect-pg-simple", () => {
  it("takes over real sessions", async () => {
    const schema = freshSchema();
    await inPostgres(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    const url = new URL(postgresUrl());
    url.searchParams.set("options", `-c search_path=${schema}`);
    process.env.POSTGRES_URL = url.href;
    let pool: Pool | undefined;
    const { adoptFromPostgres } = await programs(2, (client) => (pool = client));
    const PgStore = load("connect-pg-simple")(expressSession);
    const store = new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false });
    await takeOver(store, adoptFromPostgres);
    expect((await inPostgres(`SELECT sid FROM ${schema}.session`)).rows).toEqual([]);
    await pool?.end();
    await dropSchema(schema);
  });
});
