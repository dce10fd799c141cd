import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { send } from "../support/app";
import { eventStream } from "../support/event-stream";
import { GuideProject } from "../support/guide-project";
import { eventually } from "../support/eventually";
import { WebSocket } from "ws";

const ID = "0123456789abcdef0123456789abcdef";
const PRINT_PORT = `server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;
/** Runs the guide's app, and prints its port. */
const RUN_APP = `
  import { createServer } from "node:http";
  import { app } from "./app.js";
  import { germanPages } from "./in-german.js";
  try { germanPages(); } catch (error) { console.log(error.message); }
  const server = createServer(app);
  ${PRINT_PORT}
`;
/** Runs its websockets, and signs in whoever asks for it. */
const RUN_SOCKETS = (file: string) => `
  import { createServer } from "node:http";
  import express from "express";
  import { Sessions } from "coatcheck";
  import { serveSockets } from "./${file}.js";
  const sessions = new Sessions({ clearSchedule: false });
  const app = express().use(sessions.middleware());
  app.get("/login", async (req, res) => { await req.session.login("alice"); res.send("in"); });
  app.get("/kill", async (_req, res) => { res.json(await sessions.killSessionByUser("alice")); });
  const server = createServer(app);
  serveSockets(server, sessions);
  ${PRINT_PORT}
`;

/** Every program of the guide is compiled with strict types, and run. */
describe("docs/pages.md", () => {
  const guide = new GuideProject("pages.md", ["socket.io", "ws"]);
  const running: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    await guide.compile();
  }, 120_000);
  afterEach(async () => {
    for (const stop of running.splice(0)) await stop();
  });
  afterAll(() => guide.dispose());

  async function start(name: string, program: string) {
    writeFileSync(join(guide.folder, `run-${name}.js`), program);
    const { child, line, exited } = guide.start(`run-${name}`);
    running.push(async () => {
      child.kill("SIGKILL");
      await exited;
    });
    return line;
  }

  it("an app that does not mount pages loads none of their code", async () => {
    const line = await start(
      "without",
      `
        import { createRequire } from "node:module";
        const require = createRequire(import.meta.url);
        const { sessionMiddleware, sessionPages } = require("coatcheck");
        const loaded = () => Object.keys(require.cache).filter((path) => path.includes("/pages/")).length;
        const { sessions } = sessionMiddleware({ clearSchedule: false });
        await sessions.withClientlessSession("alice", () => sessions.getSessionInfo());
        console.log(loaded());
        sessionPages();
        console.log(loaded());
        await sessions.close();
      `,
    );
    expect([await line(), await line()]).toEqual(["0", "1"]);
  });

  it("has no program that is not run here", () => {
    expect(guide.names).toEqual(["app", "in-german", "socket-io", "ws"]);
  });

  it("app.ts counts a page, sends it a message, and tells it that its session was killed", async () => {
    const line = await start("app", RUN_APP);
    expect(await line()).toContain("sessionPages was called twice");
    const url = `http://127.0.0.1:${await line()}`;
    const { cookie = "" } = await send("POST", `${url}/login/alice`);
    const headers = { cookie, "content-type": "application/json" };
    await send("POST", `${url}/session/pages-open`, headers, JSON.stringify({ id: ID, path: "/", title: "Shop" }));
    expect((await send("GET", url, { cookie })).body).toContain("alice has 1 pages open.");
    const stream = await eventStream(`${url}/session/pages-events`, { cookie });
    expect((await send("POST", `${url}/ready/alice`)).body).toBe('{"told":1}');
    expect((await send("POST", `${url}/close`)).body).toBe('{"ended":1}');
    expect(await stream.has(2)).toMatchObject([
      { event: "message", data: { event: "order", data: { number: 7 } } },
      { event: "ended", data: { reason: "killed", message: "The shop closes in a minute." } },
    ]);
  });

  it.each([
    ["socket-io", "/socket.io/?EIO=4&transport=websocket"],
    ["ws", "/"],
  ])("%s.ts closes a socket when its session is killed", async (name, path) => {
    const line = await start(name, RUN_SOCKETS(name));
    const port = await line();
    const { cookie = "" } = await send("GET", `http://127.0.0.1:${port}/login`);
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { cookie } });
    let code: number | undefined;
    let isConnected = name === "ws";
    socket.on("close", (why) => (code = why));
    socket.on("message", (data: Buffer) => {
      if (data.toString().startsWith("0")) socket.send("40"); // Engine.IO has opened; this connects Socket.IO.
      if (data.toString().startsWith("40")) isConnected = true;
    });
    await new Promise((resolve) => socket.once("open", resolve));
    await eventually(() => isConnected);
    expect(code).toBeUndefined();
    expect((await send("GET", `http://127.0.0.1:${port}/kill`)).body).toBe("1");
    await eventually(() => code !== undefined);
    if (name === "ws") expect(code).toBe(4401);
  });
});
