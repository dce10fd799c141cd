import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import express from "express";
import expressWs from "express-ws";
import { createProxyMiddleware } from "http-proxy-middleware";
import { WebSocket, WebSocketServer } from "ws";
import type { Server as EngineServer } from "engine.io";
import type { RequestSession } from "../../lib/session/session";
import { Sessions } from "../../lib/sessions";
import type { SessionOptions } from "../../lib/options/session-options";
import { send } from "./app";
import type { Answer } from "./app";
import { countingRoutes } from "./counting-routes";

/** Websocket servers that Express apps use; Engine.IO is the one below Socket.IO. */
export const SOCKET_SERVERS = ["engine-io-6-6-11", "engine-io-6-6-12", "engine-io-6-6-13", "ws", "express-ws"] as const;
export type SocketServer = (typeof SOCKET_SERVERS)[number];

export type SocketRequest = IncomingMessage & { session: RequestSession | null };
/** What the server does when a client names it; nobody awaits what it returns. */
export type Acts = Record<string, (session: RequestSession, req: SocketRequest) => unknown>;

export interface SocketApp {
  readonly sessions: Sessions;
  readonly express: express.Express;
  readonly errors: { readonly code?: string }[];
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /**
   * Opens a websocket. The function returned names an act, and resolves to what that sends within the same turn, or to
   * "done".
   */
  connect(headers?: Record<string, string>): Promise<(act: string) => Promise<string>>;
  /** The headers of a handshake. */
  handshake(headers?: Record<string, string>): Promise<IncomingHttpHeaders>;
  close(): Promise<void>;
}

export interface SocketAppOptions extends SessionOptions {
  /** What Express's `trust proxy` is set to. Default: nothing. */
  readonly trustProxy?: number;
  /** Put a proxy that terminates TLS before it. Default false. */
  readonly behindProxy?: boolean;
  /** Runs in the handshake, after our middleware. */
  readonly inHandshake?: (req: SocketRequest, next: () => void) => void;
}

/** Starts an Express app with sessions, and a server of websockets that shares them. */
export async function startSocketApp(kind: SocketServer, acts: Acts, options: SocketAppOptions): Promise<SocketApp> {
  const { trustProxy, behindProxy = false, inHandshake = (_req, next) => next(), ...sessionOptions } = options;
  const sessions = new Sessions({ clearSchedule: false, ...sessionOptions });
  const errors: { code?: string }[] = [];
  sessions.on("error", (error) => errors.push(error as { code?: string }));
  const app = express();
  if (trustProxy !== undefined) app.set("trust proxy", trustProxy);
  const server = createServer(app);
  if (kind === "express-ws") expressWs(app, server);
  app.use(sessions.middleware());
  countingRoutes(app);

  const answer = (req: SocketRequest, act: string, reply: (text: string) => void) => {
    let told: unknown;
    try {
      told = acts[act]!(req.session!, req);
    } catch (error) {
      told = `thrown: ${(error as { code?: string }).code ?? String(error)}`;
    }
    if (typeof told === "string") reply(told);
    else if (typeof told === "function") (told as (reply: (text: string) => void) => void)(reply);
    else setImmediate(() => setImmediate(() => reply("done")));
  };
  const path = serveSockets(kind, { app, server, sessions, answer, inHandshake });
  const port = await listen(server);
  const proxy = behindProxy ? await startProxy(port) : undefined;
  const host = `127.0.0.1:${proxy?.port ?? port}`;

  const sockets: WebSocket[] = [];
  const open = async (headers: Record<string, string>) => {
    const socket = new WebSocket(`ws://${host}${path}`, { headers });
    sockets.push(socket);
    const upgraded = once(socket, "upgrade") as Promise<[IncomingMessage]>;
    await once(socket, "open");
    return { socket, headers: (await upgraded)[0].headers };
  };
  return {
    sessions,
    express: app,
    errors,
    get: (where, headers = {}) => send("GET", `http://${host}${where}`, headers),
    async connect(headers = {}) {
      const { socket } = await open(headers);
      return async (act) => {
        const answered = new Promise<string>((resolve, reject) => {
          socket.on("message", (data: Buffer) => {
            const text = data.toString();
            // Engine.IO's own packets: 0 opens, 4 is a message.
            if (!kind.startsWith("engine")) resolve(text);
            else if (text.startsWith("4")) resolve(text.slice(1));
          });
          socket.once("close", () => reject(new Error("closed")));
        });
        socket.send(kind.startsWith("engine") ? `4${act}` : act);
        return answered.finally(() => socket.removeAllListeners("message"));
      };
    },
    handshake: async (headers = {}) => (await open(headers)).headers,
    async close() {
      for (const socket of sockets) socket.terminate();
      for (const each of [proxy?.server, server]) {
        each?.closeAllConnections();
        if (each !== undefined) await new Promise((resolve) => each.close(resolve));
      }
      await sessions.close();
    },
  };
}

interface Serving {
  readonly app: express.Express;
  readonly server: Server;
  readonly sessions: Sessions;
  readonly answer: (req: SocketRequest, act: string, reply: (text: string) => void) => void;
  readonly inHandshake: (req: SocketRequest, next: () => void) => void;
}

/** Serves websockets as the documentation of each server shows it; returns their path. */
function serveSockets(kind: SocketServer, { app, server, sessions, answer, inHandshake }: Serving): string {
  if (kind === "express-ws") {
    (app as unknown as { ws: expressWs.Route }).ws("/socket", (socket, req) => {
      socket.on("message", (data) => answer(req, String(data), (text) => socket.send(text)));
    });
    return "/socket";
  }
  if (kind === "ws") {
    const sockets = new WebSocketServer({ noServer: true });
    const sessionParser = sessions.middleware();
    server.on("upgrade", (req: SocketRequest, connection: Duplex, head: Buffer) => {
      sessionParser(req, {} as unknown as ServerResponse, () => {
        inHandshake(req, () => {
          sockets.handleUpgrade(req, connection, head, (socket) => {
            socket.on("message", (data) => answer(req, String(data), (text) => socket.send(text)));
          });
        });
      });
    });
    return "/socket";
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the same package in three versions
  const { Server } = require(kind) as { Server: new () => EngineServer };
  const engine = new Server();
  engine.attach(server);
  engine.use(sessions.middleware());
  engine.use((req: unknown, _res: unknown, next: () => void) => inHandshake(req as SocketRequest, next));
  engine.on("connection", (socket) => {
    socket.on("message", (data: string) => {
      answer(socket.request, data, (text) => void socket.send(text));
    });
  });
  return "/engine.io/?EIO=4&transport=websocket";
}

/** A proxy that terminates TLS, and passes websockets on. */
async function startProxy(target: number) {
  const pass = createProxyMiddleware({
    target: `http://127.0.0.1:${target}`,
    ws: true,
    headers: { "x-forwarded-proto": "https" },
  });
  const app = express().use(pass);
  const server = createServer(app);
  server.on("upgrade", pass.upgrade);
  return { server, port: await listen(server) };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
