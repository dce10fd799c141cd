import type { Express } from "express";
import { sessionIdOf } from "../../lib/record/token";
import type { SessionOptions } from "../../lib/options/session-options";
import type { Sessions } from "../../lib/sessions";
import { startApp } from "./app";
import type { RunningApp } from "./app";

function routes(app: Express, sessions: () => Sessions): void {
  app.all("/set", (req, res) => {
    req.session.set("tea", "black");
    res.end();
  });
  app.get("/update/:user", async (req, res) => {
    await req.session.update("user", () => req.params.user);
    res.end();
  });
  app.get("/read", (req, res) => res.json({ tea: req.session.get("tea", null) }));
  app.get("/login/:user", async (req, res) => {
    await req.session.login(req.params.user);
    res.end();
  });
  app.get("/logout", async (req, res) => {
    await req.session.logout();
    res.end();
  });
  app.get("/reset", async (req, res) => {
    await req.session.reset();
    res.end();
  });
  app.get("/destroy", async (req, res) => {
    await req.session.destroy();
    res.end();
  });
  app.get("/kill-others", async (req, res) => {
    res.json(await sessions().killOthers(req.session));
  });
  app.get("/kill/:id", async (req, res) => {
    res.json(await sessions().kill(req.params.id));
  });
}

/** An app with a path for each event in the life of a session. */
export async function startLifeApp(options: SessionOptions): Promise<RunningApp> {
  const app: RunningApp = await startApp((express) => routes(express, () => app.sessions), options);
  return app;
}

/** The session cookie after these requests, one after the other. */
export async function visit(app: RunningApp, ...paths: string[]): Promise<string> {
  let cookie = "";
  for (const path of paths) {
    const answer = await app.get(path, { cookie });
    cookie = answer.cookie ?? cookie;
  }
  return cookie;
}

/** The id of the session of a cookie, given as `name=value`. */
export function idOf(cookie = ""): string {
  return sessionIdOf(cookie.slice(cookie.indexOf("=") + 1));
}
