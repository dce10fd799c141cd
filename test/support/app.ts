import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import express5 from "express";
import express4 from "express4";
import type { Express } from "express";
import type { SessionOptions } from "../../lib/options/session-options";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { selfSignedCertificate } from "./self-signed-certificate";

/** The supported versions of Express; version 4 is installed under another name. */
export const EXPRESSES: readonly (readonly [string, typeof express5])[] = [
  ["Express 5", express5],
  ["Express 4", express4],
];

/** A response as a client sees it. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** The session cookie that it sets, as `name=value`; undefined if it sets none. */
  readonly cookie: string | undefined;
}

/** A running app with sessions, on a port of its own. */
export interface RunningApp {
  readonly url: string;
  readonly sessions: Sessions;
  readonly errors: unknown[];
  get(path: string, headers?: http.OutgoingHttpHeaders): Promise<Answer>;
  post(path: string, headers?: http.OutgoingHttpHeaders, body?: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface AppOptions extends SessionOptions {
  readonly express?: typeof express5;
  /** Serve on HTTPS, with a certificate that the test signs itself. Default false. */
  readonly overTls?: boolean;
}

/** Starts an app: the middleware, then the routes that `build` adds, then an error page that shows the code. */
export async function startApp(
  build: (app: Express, sessions: Sessions) => void,
  options: AppOptions = {},
): Promise<RunningApp> {
  const { express = express5, overTls = false, ...sessionOptions } = options;
  const sessions = new Sessions({
    // The machine that runs the tests may be slow.
    ...{ store: new MemoryStore(), clearSchedule: false, storeTimeout: "20s" },
    ...sessionOptions,
  });
  const errors: unknown[] = [];
  sessions.on("error", (error) => errors.push(error));
  const app = express();
  app.use(sessions.middleware());
  build(app, sessions);
  app.use((error: any, _req: express5.Request, res: express5.Response, next: express5.NextFunction) => {
    if (res.headersSent) next(error);
    else res.status(error.status ?? 500).json({ code: error.code, message: error.message });
  });
  app.set("env", "test"); // Express itself logs no error then.
  const server = overTls ? https.createServer(selfSignedCertificate(), app) : http.createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `${overTls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    sessions,
    errors,
    get: (path, headers) => send("GET", url + path, headers),
    post: (path, headers, body) => send("POST", url + path, headers, body),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await sessions.close();
    },
  };
}

/** Sends one request on a connection of its own. */
export function send(
  method: string,
  url: string,
  headers: http.OutgoingHttpHeaders = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request } = url.startsWith("https:") ? https : http;
    const req = request(url, { method, headers, agent: false, rejectUnauthorized: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("error", reject);
      res.on("end", () => {
        const [first] = (res.headers["set-cookie"] ?? []).filter((cookie) => cookie.includes("sid"));
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          body: Buffer.concat(chunks).toString(),
          cookie: first?.split(";")[0],
        });
      });
    });
    req.on("error", reject);
    req.end(body);
  });
}
