import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const ROOT = join(__dirname, "../..");

/** A file of each room, what it may not import, and from which room that is. */
const FORBIDDEN = [
  ["lib/errors.ts", 'import "./record/token";', "record"],
  ["lib/record/token.ts", 'import "../session/session";', "session"],
  ["lib/record/value/json-text.ts", 'import "../crypto/secret-keys";', "record/crypto"],
  ["lib/record/crypto/secret-keys.ts", 'import "../../options/reader/read-options";', "options/reader"],
  ["lib/options/reader/read-options.ts", 'import "../session-options";', "options"],
  ["lib/stores/store.ts", 'import "../session/session";', "session"],
  ["lib/stores/guard/guarded-store.ts", 'import "../sqlite/sqlite-store";', "stores/sqlite"],
  ["lib/stores/sqlite/sqlite-store.ts", 'import "../datastore/datastore-store";', "stores/datastore"],
  ["lib/stores/sqlite/file/driver.ts", 'import "../../guard/guarded-store";', "stores/guard"],
  ["lib/stores/datastore/wire/messages.ts", 'import "../../sqlite/tables/live-table";', "stores/sqlite/tables"],
  ["lib/stores/postgres/postgres-store.ts", 'import "../sqlite/sqlite-store";', "stores/sqlite"],
  ["lib/stores/redis/redis-store.ts", 'import "../sqlite/sqlite-store";', "stores/sqlite"],
  ["lib/session/session.ts", 'import "../options/session-options";', "options"],
  ["lib/session/life/stored-session.ts", 'import type { X } from "../../stores/store";', "stores"],
  ["lib/session/values/session-values.ts", 'import "../../http/middleware";', "http"],
  ["lib/http/middleware.ts", 'import "../stores/datastore/datastore-store";', "stores/datastore"],
  ["lib/http/middleware.ts", 'import "../stores/sqlite/sqlite-store";', "stores/sqlite"],
  ["lib/http/middleware.ts", 'import "../admin/kill-loop";', "admin"],
  ["lib/http/hold/hold-response.ts", 'import "../middleware";', "http"],
  ["lib/http/cookie/session-cookie.ts", 'import "../request-session";', "http"],
  ["lib/admin/kill-loop.ts", 'import "../http/middleware";', "http"],
  ["lib/admin/kill-loop.ts", 'import "./console/console-handler";', "admin/console"],
  ["lib/admin/console/console-handler.ts", 'import type { Sessions } from "../../sessions";', "sessions"],
  ["lib/admin/console/pages/list-page.ts", 'export * from "../../../default-sessions";', "default-sessions"],
  ["lib/clientless/tasks/defined-tasks.ts", 'import "../../http/middleware";', "http"],
  ["lib/pages/page-streams.ts", 'import "../http/middleware";', "http"],
  ["lib/jobs/clear-schedule.ts", 'import "../admin/kill-loop";', "admin"],
  ["lib/options/session-options.ts", 'import "../sessions";', "sessions"],
  ["lib/wiring.ts", 'import "./sessions";', "sessions"],
  ["lib/http/middleware.ts", 'import "../wiring";', "wiring"],
  ["lib/sessions.ts", 'import "./index";', "index"],
  ["lib/sessions.ts", 'import "./testing/index";', "testing"],
  ["lib/index.ts", 'import "./cli/run-command";', "cli"],
  ["lib/cli/commands/kill.ts", 'import "../../default-sessions";', "default-sessions"],
  ["lib/testing/index.ts", 'import "../stores/sqlite/sqlite-store";', "stores/sqlite"],
  ["lib/testing/store-contract/find-contract.ts", 'import "../../session/session";', "session"],
  ["lib/express-shapes.ts", 'import "./record/token";', "record"],
  ["lib/http/middleware.ts", 'import "../express-shapes";', "express-shapes"],
  // However it is imported.
  ["lib/http/middleware.ts", 'export { x } from "../rooms-on-demand";', "rooms-on-demand"],
  ["lib/http/middleware.ts", 'void import("../rooms-on-demand");', "rooms-on-demand"],
  ["lib/http/middleware.ts", 'require("../rooms-on-demand");', "rooms-on-demand"],
  ["lib/http/middleware.ts", 'import rooms = require("../rooms-on-demand");', "rooms-on-demand"],
  ["lib/http/middleware.ts", 'export type X = typeof import("../rooms-on-demand");', "rooms-on-demand"],
] as const;

const ALLOWED = [
  ["lib/record/token.ts", 'import "../errors";'],
  ["lib/http/middleware.ts", 'import "../stores/store"; import "../session/life/stored-session"; import "express";'],
  ["lib/admin/console/pages/list-page.ts", 'import "../../listing/session-reader"; import "../parts/html";'],
  ["lib/sessions.ts", 'import "./http/middleware"; import "./admin/kill-loop";'],
  ["lib/default-sessions.ts", 'import "./sessions";'],
  ["lib/index.ts", 'import "./default-sessions";'],
  ["test/lint/rooms.test.ts", 'import "../../lib/sessions";'],
] as const;

/**
 * Lints texts, each as if it was in the file that is named with it, by the project's own configuration; without types,
 * which take long.
 */
const LINT = `
  import { text } from "node:stream/consumers";
  import { ESLint } from "eslint";
  import tseslint from "typescript-eslint";
  const eslint = new ESLint({ overrideConfig: [tseslint.configs.disableTypeChecked] });
  const told = [];
  for (const [filePath, code] of JSON.parse(await text(process.stdin))) {
    const [{ messages }] = await eslint.lintText(code, { filePath });
    told.push(messages.filter(({ ruleId, fatal }) => fatal || ruleId === "rooms/may-import").map(({ message }) => message));
  }
  console.log(JSON.stringify(told));
`;

async function lint(files: readonly (readonly [path: string, code: string])[]): Promise<string[][]> {
  const linting = promisify(execFile)(process.execPath, ["--input-type=module", "-e", LINT], { cwd: ROOT });
  linting.child.stdin?.end(JSON.stringify(files));
  return JSON.parse((await linting).stdout) as string[][];
}

it("lint reports what a room imports from one that it may not know, and nothing else", async () => {
  const told = await lint([...FORBIDDEN.map(([path, code]) => [path, code] as const), ...ALLOWED]);
  const reported = told.map((messages) =>
    messages.map((message) => /may not import from lib\/(.+)\.$/.exec(message)?.[1]),
  );
  expect(reported).toEqual([...FORBIDDEN.map(([, , room]) => [room]), ...ALLOWED.map(() => [])]);
});

it("lint asks what a new room may import", async () => {
  const [told] = await lint([["lib/attic/trunk.ts", 'import "../errors";']]);
  expect(told).toEqual(["lib/attic is not a room yet: say in lint/rooms.mjs what it may import."]);
});

it("lint reports what lib imports from outside of it", async () => {
  const [told] = await lint([["lib/record/token.ts", 'import "../../test/support/gate";']]);
  expect(told).toEqual(["A file of lib/ may not import from outside of it."]);
});
