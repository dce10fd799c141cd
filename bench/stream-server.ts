/**
 * The process that is measured with many event streams open: `stream-server.ts <bare|coatcheck> <folder>`. Its parent asks by IPC.
 */
import { createServer } from "node:http";
import type { RequestListener, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type * as Coatcheck from "coatcheck";
import type { SessionStore } from "coatcheck";
import type * as CoatcheckSqlite from "coatcheck/sqlite";
import express from "express";

/** What the parent asks. */
export type StreamQuestion = "memory" | "usage";

/** What the process has used since it started. */
export interface Usage {
  /** User and system, of all threads, in microseconds. */
  readonly cpu: number;
  /** Calls of the store's `load`. */
  readonly loads: number;
  /** Turns of the event loop in which it was called. */
  readonly turns: number;
}

const load = createRequire(__filename);
const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store, no-transform",
  "X-Accel-Buffering": "no",
};

let loads = 0;
let turns = 0;
let isSameTurn = false;

main();

function main(): void {
  const [kind, folder = ""] = process.argv.slice(2);
  const server = createServer(kind === "bare" ? bareServer() : pagesServer(folder));
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
    process.send?.((server.address() as AddressInfo).port),
  );
  process.on("message", (question: StreamQuestion) => {
    process.send?.(question === "memory" ? used() : usage());
  });
  process.once("disconnect", () => process.exit());
}

/** Keeps responses open, and does nothing else. */
function bareServer(): RequestListener {
  const open = new Set<ServerResponse>();
  return (_req, res) => {
    res.writeHead(200, HEADERS);
    res.write("retry: 3000\n\n");
    open.add(res);
    res.once("close", () => open.delete(res));
  };
}

function pagesServer(folder: string): RequestListener {
  const { Sessions, sessionPages } = load("../dist/index.js") as typeof Coatcheck;
  const { SqliteStore } = load("../dist/stores/sqlite/sqlite-store.js") as typeof CoatcheckSqlite;
  const sessions = new Sessions({
    store: counted(new SqliteStore({ path: folder })),
    clearSchedule: false,
    cookie: { secure: false },
  });
  const app = express();
  app.use(sessions.middleware());
  app.use("/session", sessionPages({ sessions }));
  app.get("/login/:user", async (req, res) => {
    await req.session.login(req.params.user);
    res.send("signed in");
  });
  return app;
}

/** Counts what is loaded. */
function counted(store: SessionStore): SessionStore {
  const ask = store.load.bind(store);
  store.load = (id) => {
    loads += 1;
    if (!isSameTurn) {
      isSameTurn = true;
      turns += 1;
      setImmediate(() => (isSameTurn = false));
    }
    return ask(id);
  };
  return store;
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpu: user + system, loads, turns };
}

function used(): number {
  for (let n = 0; n < 3; n += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
