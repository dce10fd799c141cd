import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express5 from "express";
import express4 from "express4";
import type { Request, Response } from "express";
import * as coatcheck from "../../lib";
import type { RequestSession } from "../../lib/session/session";
import { MemoryStore } from "../../lib/stores/memory-store";
import { FaultyStore } from "./faulty-store";
import type { Operation } from "./faulty-store";

/**
 * A server whose handlers forget to await. `/PHASE/FAULT/CALL` makes a call of the API in a phase of the response,
 * after its session was killed, while the store is down, or if the call can't succeed anyway; each `error` is reported
 * to the parent. An unhandled rejection ends this process, as in Node by default.
 */
const express = process.argv[2] === "4" ? express4 : express5;
const store = new FaultyStore(new MemoryStore());
const middleware = coatcheck.sessionMiddleware({ store, clearSchedule: false });
const { sessions } = middleware;
const tell = (message: unknown) => process.send?.(message);
sessions.on("error", (error) => tell({ error: (error as { code?: string }).code ?? String(error) }));
sessions.defineTask("fails", () => Promise.reject(new Error("the task's own")));

/** Every public method of the session, and of its parts, that returns a promise. */
const CALLS: Record<string, (session: RequestSession) => unknown> = {
  save: (session) => session.set("n", 1).save(),
  saveThen: (session) =>
    session
      .set("n", 1)
      .save()
      .then(() => "next"),
  saveFinally: (session) =>
    session
      .set("n", 1)
      .save()
      .finally(() => undefined),
  unstorable: (session) => session.set("n", () => undefined).save(),
  reload: (session) => session.reload(),
  touch: (session) => session.touch(),
  reset: (session) => session.reset(),
  login: (session) => session.login("alice"),
  logout: (session) => session.logout(),
  destroy: (session) => session.destroy(),
  regenerate: (session) => session.regenerate(),
  update: (session) => session.update("n", () => 1),
  null: (session) => session,
  attributeCreate: (session) => session.attributes.create("a", 1),
  attributeCreateMany: (session) => session.attributes.createMany([{ name: "a", value: 1 }]),
  attributeSet: (session) => session.attributes.set("a", 1),
  attributeSetMany: (session) => session.attributes.setMany([{ name: "a", value: 1 }]),
  attributeUpdate: (session) => session.attributes.update("a", 1),
  attributeUpdateMany: (session) => session.attributes.updateMany([{ name: "a", value: 1 }]),
  attributeGet: (session) => session.attributes.get("\n"),
  attributeGetInfo: (session) => session.attributes.getInfo("\n"),
  attributeGetMany: (session) => session.attributes.getMany(["\n"]),
  attributeToObject: (session) => session.attributes.toObject(),
  attributeNames: (session) => session.attributes.names(),
  attributeExists: (session) => session.attributes.exists("\n"),
  attributeExistsMany: (session) => session.attributes.existsMany(["\n"]),
  attributeDelete: (session) => session.attributes.delete("a"),
  attributeDeleteMany: (session) => session.attributes.deleteMany(["a"]),
  attributeSetExpiry: (session) => session.attributes.setExpiry("a", "1m"),
  attributeSetExpiryMany: (session) => session.attributes.setExpiryMany(["a"], "1m"),
  keyCreate: (session) => session.securityKeys.create(),
  keyValidate: (session) => session.securityKeys.validate("A".repeat(43)),
  kill: () => sessions.kill("no id"),
  killSessionByUser: () => sessions.killSessionByUser(undefined as unknown as string),
  killAllSessions: () => sessions.killAllSessions({ message: 1 } as never),
  killOthers: (session) => sessions.killOthers(session),
  getSession: () => sessions.getSession("no id"),
  getSessionUser: () => sessions.getSessionUser("no id"),
  getSessionInfo: () => sessions.getSessionInfo({ limit: -1 }),
  tally: () => sessions.tally(),
  endedNotice: () => sessions.endedNotice({} as never),
  clearSessions: () => sessions.clearSessions(),
  adminKill: (session) => sessions.admin({ sessionId: session.id } as never).kill("no id"),
  adminEnter: (session) => sessions.admin({ sessionId: session.id } as never).enter(),
  openClientlessSession: () => sessions.openClientlessSession(""),
  closeClientlessSession: () => sessions.closeClientlessSession("no id"),
  withClientlessSession: () => sessions.withClientlessSession("", () => undefined),
  // The plain functions over the default Sessions.
  plainKill: () => coatcheck.killSessionByUser(undefined as unknown as string),
  plainKillAll: () => coatcheck.killAllSessions({ message: 1 } as never),
  plainGetSession: () => coatcheck.getSession("no id"),
  plainGetSessionUser: () => coatcheck.getSessionUser("no id"),
  plainGetSessionInfo: () => coatcheck.getSessionInfo({ limit: -1 }),
  plainClear: () => coatcheck.clearSessions(),
  plainOpen: () => coatcheck.openClientlessSession(""),
  plainClose: () => coatcheck.closeClientlessSession("no id"),
  plainWith: () => coatcheck.withClientlessSession("", () => undefined),
  task: async () => {
    const session = await sessions.openClientlessSession("bob").catch(() => undefined);
    void session?.start("fails").result();
    void session?.result("fails");
    void session?.result("unknown");
    void session?.close({ drainTimeout: "never" as never });
  },
};

/** Everything that may fail with the store, except `find`, which the parent's questions use. */
const OPERATIONS: Operation[] = ["load", "create", "update", "mutate", "replace", "end", "clear"];

async function bringAbout(fault: string, session: RequestSession): Promise<void> {
  if (fault === "killed") await sessions.kill(session.id);
  if (fault === "down") for (const operation of OPERATIONS) store.fail(operation, "rejects");
}

function call(name: string, req: Request): void {
  try {
    if (name === "null") (req as { session: RequestSession | null }).session = null;
    else void CALLS[name]!(req.session);
  } catch (error) {
    // The handler would see what is thrown; only promises can be forgotten.
    tell({ thrown: (error as { code?: string }).code ?? String(error) });
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

const PHASES: Record<string, (name: string, req: Request, res: Response) => Promise<void> | void> = {
  "before the response": async (name, req, res) => {
    call(name, req);
    await turn();
    res.send("ok");
  },
  "as the response goes": (name, req, res) => {
    call(name, req);
    res.send("ok");
  },
  "after the first byte": async (name, req, res) => {
    res.write("first ");
    await turn();
    call(name, req);
    await turn();
    res.end("last");
  },
  "right after the response": (name, req, res) => {
    res.send("ok");
    call(name, req);
  },
  "when the response has gone": (name, req, res) => {
    res.on("close", () => {
      call(name, req);
      setImmediate(() => tell({ called: name }));
    });
    res.send("ok");
  },
};

const app = express();
app.set("env", "test");
app.use(middleware);
app.get("/start", (req, res) => {
  req.session.set("n", 0);
  res.send("ok");
});
app.get("/recover", async (_req, res) => {
  store.recover();
  await turn();
  res.send("ok");
});
app.get("/:phase/:fault/:call", async (req: Request, res: Response) => {
  const { phase, fault, call: name } = req.params as Record<string, string>;
  await bringAbout(fault!, req.session);
  await PHASES[phase!]!(name!, req, res);
});
const server = createServer(app).listen(0, "127.0.0.1", () => {
  tell({ port: (server.address() as AddressInfo).port, calls: Object.keys(CALLS), phases: Object.keys(PHASES) });
});
