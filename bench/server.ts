/** The process that is measured: one small app with the sessions of one variant. `server.ts <variant> <folder>` */
import { Session as Inspector } from "node:inspector/promises";
import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import express from "express";
import type { Request } from "express";
import { CONTENT } from "./session-data";
import type { SessionContent, Size } from "./session-data";
import { BARE, VARIANTS } from "./variants";

/** What the benchmark asks a server by IPC; each question is answered once. */
export type Question = "cpu" | "startProfile" | "stopProfile";

void main();

async function main(): Promise<void> {
  const [name, folder] = process.argv.slice(2);
  const variant = VARIANTS.find((one) => one.name === name);
  if (variant === undefined || folder === undefined) throw new Error(`No variant is called "${String(name)}".`);

  const app = express();
  const close = await variant.install(app, folder);
  addRoutes(app, variant.name === BARE ? oneSessionForAll() : (req) => (req as unknown as WithSession).session);
  const server = app.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  server.keepAliveTimeout = 600_000; // The connections idle while the other variants have their turn.

  answerQuestions();
  process.once("disconnect", () => void stop(server, close));
}

interface WithSession {
  session: SessionContent;
}

function addRoutes(app: express.Express, sessionOf: (req: Request) => SessionContent): void {
  app.get("/sign-in/:size", (req, res) => {
    Object.assign(sessionOf(req), CONTENT[req.params.size as Size]);
    res.send("signed in");
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
    res.send(`visit ${session.visits}`);
  });
}

/** The app without sessions does the same work on an object of its own. */
function oneSessionForAll(): () => SessionContent {
  const session = structuredClone(CONTENT["200 B"]);
  return () => session;
}

function answerQuestions(): void {
  const inspector = new Inspector();
  const answers: Record<Question, () => unknown> = {
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
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
  process.on("message", (question: Question) => {
    void Promise.resolve(answers[question]()).then((answer) => process.send?.(answer ?? null));
  });
}

async function stop(server: Server, close: () => Promise<void> | void): Promise<void> {
  server.close();
  server.closeAllConnections();
  await close();
  process.exit();
}
