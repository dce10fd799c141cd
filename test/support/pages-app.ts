import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { sessionPages } from "../../lib/default-sessions";
import type { SessionOptions } from "../../lib/options/session-options";
import { Sessions } from "../../lib/sessions";
import type { SessionPagesOptions } from "../../lib/pages/pages-options";
import type { PagesHandler } from "../../lib/pages/pages-handler";

export interface PagesApp {
  readonly url: string;
  readonly port: number;
  readonly sessions: Sessions;
  readonly errors: unknown[];
  readonly handler: PagesHandler;
  close(): Promise<void>;
}

/** A page that loads the script, under a Content-Security-Policy without a hole. */
const PAGE = (title: string) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,"><script src="/session/pages.js" defer></script></head><body><h1>${title}</h1><a href="/other">other</a><form method="post" action="/logout"><button>Sign out</button></form></body></html>`;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'";

/** An app with pages: `/` and any other path is one, `/login/:user`, `/logout`, `/kill/:user` and `/send/:user` are what they say. */
export async function startPagesApp(options: SessionOptions, pages: SessionPagesOptions = {}): Promise<PagesApp> {
  const sessions = new Sessions({ clearSchedule: false, storeTimeout: "20s", ...options });
  const errors: unknown[] = [];
  sessions.on("error", (error) => errors.push(error));
  const handler = sessionPages({ ...pages, sessions });
  const app = express();
  app.use(sessions.middleware());
  app.use("/session", handler);
  app.get("/login/:user", async (req, res) => {
    await req.session.login(req.params.user);
    res.redirect("/");
  });
  app.all("/logout", async (req, res) => {
    await req.session.logout();
    res.redirect("/");
  });
  app.get("/kill/:user", async (req, res) => {
    res.json(await sessions.killSessionByUser(req.params.user, { message: "Bye." }));
  });
  app.get("/send/:user", async (req, res) => {
    res.json(await sessions.pages.send({ user: req.params.user }, "hello", { from: "afar" }));
  });
  app.get("/increment", async (req, res) => {
    req.session.set(`n${Math.random()}`, 1);
    res.json(await req.session.update("count", (count) => Number(count ?? 0) + 1));
  });
  app.get("/count", (req, res) => void res.json(req.session.get("count")));
  app.get("/pages", (req, res) => void res.json(req.session.pages));
  app.all("/{*path}", (req, res) => {
    res.set("Content-Security-Policy", POLICY).send(PAGE(`${req.session.owner} at ${req.path}`));
  });
  const server: Server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${at}`,
    port: at,
    sessions,
    errors,
    handler,
    async close() {
      await sessions.close();
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
