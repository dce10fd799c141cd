import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { isHttpError } from "http-errors";
import { SessionError } from "../../lib/errors";
import { compileScripts } from "../support/compiled-scripts";

const run = promisify(execFile);

describe("an error of ours", () => {
  it.each([
    ["SESSION_ENDED", 409, true],
    ["SECURITY_KEY", 403, true],
    ["SESSION_STORE", 503, false],
    ["SESSION_VALUE", 500, false],
  ] as const)("has what http-errors has: %s", (code, status, expose) => {
    const error = new SessionError(code, "what happened");
    // As its own: loggers copy what they are given.
    expect({ ...error }).toMatchObject({ code, status, statusCode: status, expose });
    expect(isHttpError(error)).toBe(true);
  });
});

/** NestJS is made of ES modules, which jest can't load: it runs in a process of its own. */
const NEST_APP = `
  require("reflect-metadata");
  const { Controller, Get, Module, Post, Req } = require("@nestjs/common");
  const { NestFactory } = require("@nestjs/core");
  const lib = (path) => require(process.argv[1] + "/" + path);
  const { requireSecurityKey, sessionMiddleware } = lib("index");
  const { MemoryStore } = lib("testing");

  let isDown = false;
  class BreakingStore extends MemoryStore {
    create(record) {
      return isDown ? Promise.reject(new Error("down")) : super.create(record);
    }
  }
  const middleware = sessionMiddleware({ store: new BreakingStore(), clearSchedule: false });

  class Routes {
    async begin(req) {
      await req.session.login("alice");
      return {};
    }
    async ended(req) {
      await middleware.sessions.killSessionByUser("alice");
      req.session.tea = "oolong";
      await req.session.save();
    }
    async down(req) {
      isDown = true;
      req.session.tea = "oolong";
      await req.session.save();
    }
    async act() {
      return {};
    }
  }
  const route = (decorate, name) => {
    Req()(Routes.prototype, name, 0);
    decorate(name)(Routes.prototype, name, Object.getOwnPropertyDescriptor(Routes.prototype, name));
  };
  for (const name of ["begin", "ended", "down"]) route(Get, name);
  route(Post, "act");
  Controller()(Routes);
  class App {}
  Module({ controllers: [Routes] })(App);

  (async () => {
    const app = await NestFactory.create(App, { logger: false });
    app.use(middleware, requireSecurityKey());
    await app.listen(0, "127.0.0.1");
    const base = await app.getUrl();
    const asked = async (method, path, cookie = "") => {
      const answer = await fetch(base + path, { method, headers: { cookie } });
      return { answer, told: [answer.status, (await answer.json()).message] };
    };
    const { answer } = await asked("GET", "/begin");
    const [cookie] = answer.headers.getSetCookie()[0].split(";");
    const tellings = [];
    for (const call of [["POST", "/act", cookie], ["GET", "/ended", cookie], ["GET", "/down"]]) {
      tellings.push((await asked(...call)).told);
    }
    console.log(JSON.stringify(tellings));
    await app.close();
    await middleware.sessions.close();
  })();`;

describe("NestJS", () => {
  const compiled = compileScripts(["lib"]);
  afterAll(() => compiled.dispose());

  it("responds with the status of our errors, and shows the messages that are for the client", async () => {
    const args = ["-e", NEST_APP, compiled.path("lib")];
    const { stdout } = await run(process.execPath, args, { env: compiled.env, timeout: 60_000 });
    expect(JSON.parse(stdout)).toEqual([
      [403, expect.stringContaining("no security key of its session")],
      [409, expect.stringContaining("The session was ended while this request worked with it")],
      [503, "Service Unavailable"],
    ]);
  });
});
