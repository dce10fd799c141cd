import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import express from "express";
import type { NextFunction, Request, Response } from "express";
import { SessionError } from "../../lib/errors";
import { Sessions } from "../../lib/sessions";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { signal } from "../support/gate";
import { faultyStore } from "./faulty-store";
import type { Fault } from "./faulty-store";

/**
 * One of the servers that share a folder: `torture-server FOLDER CLEAR_MS [FAULT]`. It reports its port, clears every
 * CLEAR_MS, blocks its event loop now and then, and closes at SIGTERM as a server should. All that it writes to stderr
 * is a violation.
 */
const [, , path = "", clearEvery, fault] = process.argv;
/** Clearing spares what was over less than five minutes ago; by this clock all that is over is due. */
const AHEAD_MS = 6 * 60_000;
const LONGEST_BLOCK_MS = 150;

const store = faultyStore(new SqliteStore({ path }), fault as Fault | undefined);
const sessions = new Sessions({ store, clearSchedule: false, keepEnded: "1s", touchInterval: "1s" });
sessions.on("error", (error) => process.stderr.write(`error event: ${String(error)}\n`));

const app = express();
app.use(sessions.middleware());

app.get("/read", async (req, res) => {
  const { id, isNew, owner, attributes } = req.session;
  const values = isNew ? {} : { ...Object.fromEntries(req.session.items()), ...(await attributes.toObject()) };
  res.json({ id, isNew, owner, values });
});
app.post("/new", (req, res) => {
  req.session.set("first", req.query.value);
  res.json({ id: req.session.id });
});
app.post("/login", async (req, res) => {
  await req.session.login(String(req.query.user));
  req.session.set("first", req.query.value);
  res.json({ id: req.session.id });
});
app.post("/kill", async (req, res) => {
  res.json({ ended: await sessions.killSessionByUser(String(req.query.user)) });
});
app.get("/list", async (req, res) => {
  const found = await sessions.getSessionInfo({ username: String(req.query.user) });
  res.json({ ids: found.map(({ id }) => id) });
});
app.post("/open", async (req, res) => {
  const { user, brief } = req.query;
  const { id } = await sessions.openClientlessSession(String(user), brief === "true" ? { maxAge: "1s" } : {});
  res.json({ id });
});
app.post("/close", async (req, res) => {
  await sessions.closeClientlessSession(String(req.query.id));
  res.json({});
});

// The routes below expect a live session.
app.use((req, res, next) => {
  if (req.session.isNew) res.status(410).json({});
  else next();
});
app.post("/set", (req, res) => {
  const { key, value, padding } = req.query;
  req.session.set(String(key), value);
  if (padding !== undefined) req.session.set("padding", "x".repeat(Number(padding)));
  res.json({});
});
app.post("/attribute", async (req, res) => {
  await req.session.attributes.set(String(req.query.key), req.query.value);
  res.json({});
});
app.post("/increment", async (req, res) => {
  await req.session.update("counter", (n) => Number(n ?? 0) + 1);
  res.json({});
});
app.post("/touch", async (req, res) => {
  await req.session.touch();
  res.json({});
});
app.post("/logout", async (req, res) => {
  await req.session.logout();
  res.json({});
});

app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
  const { status, code } = error instanceof SessionError ? error : { status: 500, code: "none" };
  const { message, cause } = error as Error;
  res.status(status).json({ code, message, cause: cause === undefined ? undefined : String(cause) });
});

const server = app.listen(0, "127.0.0.1", () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
const closing = signal();
let isClosing = false;

/** Ends at once if the server closes. */
async function pause(ms: number): Promise<void> {
  await Promise.race([delay(ms, undefined, { ref: false }), closing.given]);
}

async function clearing(): Promise<void> {
  while (!isClosing) {
    process.send?.({ cleared: await store.clear(Date.now() + AHEAD_MS) });
    await pause(Number(clearEvery));
  }
}

async function blocking(): Promise<void> {
  while (!isClosing) {
    const end = performance.now() + Math.random() * LONGEST_BLOCK_MS;
    while (performance.now() < end);
    await pause(Math.random() * 2_000);
  }
}

async function close(): Promise<void> {
  isClosing = true;
  closing.give();
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, 10);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  clearInterval(idle);
  await work;
  await sessions.close();
  // From here on nothing may keep the process alive.
  process.disconnect();
}

const work = Promise.all([clearing(), blocking()]);
process.once("SIGTERM", () => void close());
