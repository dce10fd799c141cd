import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Socket as EngineClient } from "engine.io-client";
import express from "express";
import { Server } from "socket.io";
import { WebSocket, WebSocketServer } from "ws";
import type { RequestSession } from "../../lib/session/session";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { send } from "../support/app";
import { collectGarbage } from "../support/garbage";

const CHECK_MS = 200;
/** How late a timer may be on a busy machine. */
const LATE_MS = 3000;

type Served = IncomingMessage & { session: RequestSession };

/** The servers as docs/pages.md shows them. */
const SERVERS: Record<string, (server: HttpServer, sessions: Sessions) => () => unknown> = {
  "Socket.IO": (server, sessions) => {
    const io = new Server(server);
    io.engine.use(sessions.middleware());
    io.on("connection", (socket) => {
      const { session } = socket.request as Served;
      session.signal.addEventListener("abort", () => socket.disconnect(true));
    });
    return () => io.close();
  },
  ws: (server, sessions) => {
    const sockets = new WebSocketServer({ noServer: true });
    const withSession = sessions.middleware();
    server.on("upgrade", (req: Served, connection: Duplex, head: Buffer) => {
      withSession(req, {} as unknown as ServerResponse, () => {
        sockets.handleUpgrade(req, connection, head, (socket) => {
          req.session.signal.addEventListener("abort", () => socket.close(4401, "session ended"));
        });
      });
    });
    return () => sockets.close();
  },
};

interface Client {
  /** Resolves with why it was closed. */
  readonly closed: Promise<unknown>;
  readonly isOpen: () => boolean;
  leave(): void;
}

const CLIENTS: [name: string, server: string, connect: (url: string, cookie: string) => Promise<Client>][] = [
  ["a Socket.IO socket by polling", "Socket.IO", (url, cookie) => engineClient(url, cookie, ["polling"])],
  ["a Socket.IO websocket", "Socket.IO", (url, cookie) => engineClient(url, cookie, ["websocket"])],
  [
    "a Socket.IO socket that was upgraded",
    "Socket.IO",
    (url, cookie) => engineClient(url, cookie, ["polling", "websocket"]),
  ],
  ["a socket of ws", "ws", wsClient],
];

async function engineClient(url: string, cookie: string, transports: string[]): Promise<Client> {
  const client = new EngineClient(url, { path: "/socket.io", transports, extraHeaders: { cookie } });
  const closed = new Promise((resolve) => client.once("close", resolve));
  const connected = new Promise((resolve) => client.once("message", resolve));
  const upgraded = transports.length > 1 ? new Promise((resolve) => client.once("upgrade", resolve)) : undefined;
  client.send("0"); // Socket.IO's own packet that connects.
  await connected;
  await upgraded;
  return { closed, isOpen: () => client.readyState === "open", leave: () => void client.close() };
}

async function wsClient(url: string, cookie: string): Promise<Client> {
  const client = new WebSocket(url.replace("http", "ws"), { headers: { cookie } });
  const closed = once(client, "close").then(([code, reason]: unknown[]) => [code, String(reason)]);
  await once(client, "open");
  return { closed, isOpen: () => client.readyState === WebSocket.OPEN, leave: () => client.terminate() };
}

describe.each(CLIENTS)("req.session.signal of %s", (_, kind, connect) => {
  let server: HttpServer;
  let url: string;
  let sessions: Sessions;
  let elsewhere: Sessions;
  let stop: () => unknown;
  let clients: Client[];

  beforeEach(async () => {
    clients = [];
    const store = new MemoryStore();
    sessions = new Sessions({ store, clearSchedule: false, killCheckInterval: CHECK_MS });
    elsewhere = new Sessions({ store, clearSchedule: false });
    const app = express().use(sessions.middleware());
    app.get("/login/:user", async (req, res) => {
      await req.session.login(req.params.user);
      res.send("in");
    });
    app.get("/logout", async (req, res) => {
      await req.session.logout();
      res.send("out");
    });
    server = createServer(app);
    stop = SERVERS[kind]!(server, sessions);
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    for (const client of clients) client.leave();
    await stop();
    server.closeAllConnections();
    server.close();
    await sessions.close();
  });

  const signedIn = async (user: string) => (await send("GET", `${url}/login/${user}`)).cookie!;

  async function joined(cookie: string): Promise<Client> {
    const client = await connect(url, cookie);
    clients.push(client);
    return client;
  }

  const connected = async (user: string) => joined(await signedIn(user));

  it("closes it at once where the session is killed in this process, and no other", async () => {
    const [alice, bob] = [await connected("alice"), await connected("bob")];
    await sessions.killSessionByUser("alice");
    const why = await alice.closed;
    if (kind === "ws") expect(why).toEqual([4401, "session ended"]);
    expect(bob.isOpen()).toBe(true);
  });

  it("closes it within the check interval where it is killed elsewhere, also after a garbage collection", async () => {
    const client = await connected("alice");
    for (let n = 0; n < 3; n += 1) {
      collectGarbage();
      await sleep(20);
    }
    expect(client.isOpen()).toBe(true);
    const began = performance.now();
    expect(await elsewhere.killSessionByUser("alice")).toBe(1);
    await client.closed;
    expect(performance.now() - began).toBeLessThan(CHECK_MS + LATE_MS);
  });

  it("closes it when its user signs out in another request", async () => {
    const cookie = await signedIn("alice");
    const client = await joined(cookie);
    await send("GET", `${url}/logout`, { cookie });
    await client.closed;
  });

  it("leaves a socket of nobody alone", async () => {
    const client = await joined("");
    await sessions.killAllSessions();
    await sleep(2 * CHECK_MS);
    expect(client.isOpen()).toBe(true);
  });
});
