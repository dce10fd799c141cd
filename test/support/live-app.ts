import { once } from "node:events";
import { createServer, get } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Socket as EngineClient } from "engine.io-client";
import express from "express";
import { Server } from "socket.io";
import type { RequestSession } from "../../lib/session/session";
import { Sessions } from "../../lib/sessions";
import { send } from "./app";
import type { Answer } from "./app";
import { countingRoutes } from "./counting-routes";
import { watchedStore } from "./watched-store";
import type { StoreMethod } from "./watched-store";

export type EngineMiddleware = (
  req: IncomingMessage & { session: RequestSession },
  res: object,
  next: (error?: unknown) => void,
) => void;

/** What a client may ask the server to do with the session of its socket; the result is sent back as JSON. */
export type Acts = Record<string, (session: RequestSession) => unknown>;

export interface LiveApp {
  readonly sessions: Sessions;
  readonly calls: StoreMethod[];
  readonly errors: unknown[];
  get(path: string, cookie?: string): Promise<Answer>;
  /** Connects a client, which can then name one of the `acts`. */
  connect(transports: string[], cookie?: string): Promise<(act: string) => Promise<unknown>>;
  /** How the server responds to a first request of this kind. */
  handshake(
    transport: "polling" | "websocket",
    cookie?: string,
  ): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders }>;
  close(): Promise<void>;
}

/**
 * An Express app and a Socket.IO server that share their sessions, on a store that is slow. `inEngine` runs after our
 * middleware.
 */
export async function startLiveApp(acts: Acts, inEngine?: EngineMiddleware): Promise<LiveApp> {
  const { store, calls } = watchedStore((method) => (method === "close" ? undefined : sleep(1)));
  const sessions = new Sessions({ store, clearSchedule: false });
  const errors: unknown[] = [];
  sessions.on("error", (error) => errors.push(error));
  const app = express();
  app.use(sessions.middleware());
  countingRoutes(app);
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const io = new Server(server);
  io.engine.use(sessions.middleware());
  if (inEngine !== undefined) io.engine.use(inEngine);
  io.on("connection", (socket) => {
    const { session } = socket.request as unknown as { session: RequestSession };
    socket.on("act", async (name: string, answer: (value: unknown) => void) => {
      try {
        answer((await acts[name]!(session)) ?? "done");
      } catch (error) {
        answer((error as { code?: string }).code ?? String(error));
      }
    });
  });

  const clients: EngineClient[] = [];
  return {
    sessions,
    calls,
    errors,
    get: (path, cookie) => send("GET", url + path, cookie === undefined ? {} : { cookie }),
    async connect(transports, cookie) {
      const extraHeaders = cookie === undefined ? {} : { cookie };
      const client = new EngineClient(url, { path: "/socket.io", transports, extraHeaders });
      clients.push(client);
      const upgraded = transports.length > 1 ? nextEvent(client, "upgrade") : undefined;
      client.send("0"); // Socket.IO's own packets: 0 connects, 2 is an event with the number of its answer, 3 is that answer
      await nextEvent(client, "message");
      await upgraded;
      return async (act) => {
        client.send(`21["act",${JSON.stringify(act)}]`);
        const answer = String(await nextEvent(client, "message"));
        return (JSON.parse(answer.slice(2)) as unknown[])[0];
      };
    },
    async handshake(transport, cookie) {
      const upgrade = {
        ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      };
      const headers = { ...(transport === "websocket" ? upgrade : undefined), ...(cookie ? { cookie } : undefined) };
      const req = get(`${url}/socket.io/?EIO=4&transport=${transport}`, { headers, agent: false });
      const [res] = (await Promise.race([once(req, "upgrade"), once(req, "response")])) as [IncomingMessage];
      res.destroy();
      return { status: res.statusCode ?? 0, headers: res.headers };
    },
    async close() {
      for (const client of clients) client.close();
      await io.close();
      await sessions.close();
    },
  };
}

/** What comes with the client's next event of this name; rejects if it fails or is closed before. */
function nextEvent(client: EngineClient, name: "message" | "upgrade"): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.once(name as "message", resolve);
    client.once("error", reject);
    client.once("close", (reason) => reject(new Error(`closed: ${reason}`)));
  });
}
