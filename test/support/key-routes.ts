import express from "express";
import type { Express } from "express";
import type { SecurityKeyOptions } from "../../lib/session/security-keys/security-keys";
import type { RunningApp } from "./app";

/** An app with a path for each thing that can be done with security keys. */
export function keyRoutes(app: Express): void {
  app.use(express.json({ limit: "3mb" }));
  app.post("/create", async (req, res) => res.json(await req.session.securityKeys.create(req.body.options ?? {})));
  app.post("/validate", async (req, res) =>
    res.json({ payload: await req.session.securityKeys.validate(req.body.key) }),
  );
  app.get("/static", (req, res) => res.json(req.session.securityKeys.staticKey));
  app.get("/masked", (req, res) => res.json(req.session.securityKeys.maskedKey()));
  app.post("/is-static", (req, res) => res.json(req.session.securityKeys.isStaticKey(req.body.key)));
  app.get("/set", (req, res) => {
    req.session.set("tea", "black");
    res.end();
  });
  app.get("/read", (req, res) => res.json(req.session.get("tea", null)));
  app.get("/login", async (req, res) => {
    await req.session.login("alice");
    res.json(req.session.securityKeys.staticKey);
  });
  for (const way of ["touch", "logout", "reset", "destroy"] as const) {
    app.get(`/${way}`, async (req, res) => {
      await req.session[way]();
      res.end();
    });
  }
}

/** A browser: it keeps the cookie, and reads JSON. */
export class KeyVisitor {
  cookie = "";

  async get(app: RunningApp, path: string): Promise<any> {
    return this.#read(await app.get(path, { cookie: this.cookie }));
  }

  async post(app: RunningApp, path: string, body: unknown): Promise<any> {
    const headers = { cookie: this.cookie, "content-type": "application/json" };
    return this.#read(await app.post(path, headers, JSON.stringify(body)));
  }

  async create(app: RunningApp, options?: SecurityKeyOptions): Promise<string> {
    return this.post(app, "/create", { options });
  }

  /** The payload; undefined if the key is not valid. */
  async validate(app: RunningApp, key: unknown): Promise<unknown> {
    return (await this.post(app, "/validate", { key })).payload;
  }

  #read(answer: { readonly status: number; readonly body: string; readonly cookie: string | undefined }): any {
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
    this.cookie = answer.cookie ?? this.cookie;
    return answer.body === "" ? undefined : JSON.parse(answer.body);
  }
}
