/**
 * The process that is measured: one small app with the sessions of one variant. `server.ts <variant> <folder> [timed]`;
 * `timed` is for `loop-watch.ts`.
 */
import { Session as Inspector } from "node:inspector/promises";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import type { Session } from "coatcheck";
import express from "express";
import type { Request, Response } from "express";
import { timeSqliteStores, watchLoop } from "./loop-watch";
import type { LoopWatch } from "./loop-watch";
import { LISTENING } from "./question";
import type { Answered, Asked, Question } from "./question";
import { countRpcs, rpcCounts } from "./rpc-counter";
import { CONTENT, changeDeep } from "./session-data";
import type { SessionContent, Size } from "./session-data";
import { EMBEDDED, VARIANTS } from "./variants";
import type { Variant } from "./variants";
import { watchedClear } from "./watched-clear";

void main();

async function main(): Promise<void> {
  const [name, folder, timed] = process.argv.slice(2);
  const variant = VARIANTS.find((one) => one.name === name);
  if (variant === undefined || folder === undefined) throw new Error(`No variant is called "${String(name)}".`);

  if (variant.service === "datastore") countRpcs();
  if (variant.name === EMBEDDED && timed !== undefined) timeSqliteStores();
  const app = express();
  const close = await variant.install(app, folder);
  const sessionOf =
    variant.withoutSessions === true ? oneSessionForAll() : (req: Request) => (req as unknown as WithSession).session;
  addRoutes(app, variant, sessionOf);
  const server = app.listen(0, "127.0.0.1", () =>
    tell({ number: LISTENING, answer: (server.address() as AddressInfo).port }),
  );
  server.keepAliveTimeout = 600_000; // The connections are idle while the other variants are measured.

  answerQuestions();
  process.once("disconnect", () => void stop(server, close));
}

interface WithSession {
  session: SessionContent;
}

function addRoutes(app: express.Express, variant: Variant, sessionOf: (req: Request) => SessionContent): void {
  const answer = (req: Request, res: Response, text: string): void => {
    if (variant.save === undefined) res.send(text);
    else void variant.save(req).then(() => res.send(text));
  };
  app.get("/sign-in/:size", (req, res) => {
    Object.assign(sessionOf(req), CONTENT[req.params.size as Size]);
    answer(req, res, "signed in");
  });
  app.get("/stored/:size", (req, res) => {
    const keys = Object.keys(CONTENT[req.params.size as Size]);
    res.json(Object.fromEntries(keys.map((key) => [key, sessionOf(req)[key]])));
  });
  app.get("/untouched", (_req, res) => {
    res.send("fine");
  });
  app.get("/read", (req, res) => {
    res.send(`language ${sessionOf(req).language}`);
  });
  app.get("/write", (req, res) => {
    const session = sessionOf(req);
    session.visits += 1;
    answer(req, res, `visit ${session.visits}`);
  });
  app.get("/deep", (req, res) => {
    changeDeep(sessionOf(req));
    answer(req, res, "changed");
  });
  // Only our sessions have it.
  app.get("/login", async (req, res) => {
    const session = sessionOf(req) as unknown as Session;
    await session.login("alice");
    session.merge(CONTENT["200 B"]);
    res.send("signed in");
  });
}

/** Without sessions, the app does the same work on one object. */
function oneSessionForAll(): () => SessionContent {
  const session = structuredClone(CONTENT["200 B"]);
  return () => session;
}

function answerQuestions(): void {
  const inspector = new Inspector();
  let unwatchLoop: (() => LoopWatch) | undefined;
  const answers: Record<Question, () => unknown> = {
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    rpcs: rpcCounts,
    clear: watchedClear,
    watchLoop: () => {
      unwatchLoop = watchLoop();
    },
    unwatchLoop: () => unwatchLoop?.(),
    startProfile: async () => {
      inspector.connect();
      await inspector.post("Profiler.enable");
      await inspector.post("Profiler.setSamplingInterval", { interval: 200 });
      await inspector.post("Profiler.start");
    },
    stopProfile: async () => {
      const { profile } = await inspector.post("Profiler.stop");
      inspector.disconnect();
      return profile;
    },
  };
  process.on("message", ({ number, question }: Asked) => {
    void Promise.resolve(answers[question]()).then(
      (answer) => tell({ number, answer }),
      (error: unknown) => tell({ number, error: String(error) }),
    );
  });
}

function tell(answered: Answered): void {
  process.send?.(answered);
}

async function stop(server: Server, close: () => Promise<void> | void): Promise<void> {
  server.close();
  server.closeAllConnections();
  await close();
  process.exit();
}
