const IMPORTS = `
  import { randomBytes } from "node:crypto";
  import express from "express";
  import { getSession, killSessionByUser, SessionError, sessionConsole, sessionMiddleware } from "coatcheck";
  import { DatastoreStore } from "coatcheck/datastore";
  import { MemoryStore } from "coatcheck/testing";
`;

const APP = `
  const stores = { embedded: () => undefined, memory: () => new MemoryStore(), datastore: () => new DatastoreStore() };
  const store = stores[process.argv[2]]();
  const middleware = sessionMiddleware({
    ...(store && { store }),
    secrets: [randomBytes(32).toString("base64url")],
    isSuperUser: (user) => user === "alice",
    // A bundler may set NODE_ENV to "production", and this is plain HTTP.
    cookie: { secure: false },
  });
  const { sessions } = middleware;
  const app = express().use(middleware);
  app.get("/login", async ({ session }, res) => {
    await session.login("alice");
    session.since = new Date(0);
    await session.attributes.create("card", "4111", { encrypt: true });
    res.end();
  });
  app.get("/me", async ({ session }, res) => {
    res.json([session.owner, session.since?.getTime() ?? null, (await session.attributes?.get("card")) ?? null]);
  });
  app.get("/write", async ({ session }, res) => {
    for (let n = 0; n < 1_100; n += 50) await Promise.all(Array.from({ length: 50 }, () => session.set("n", n).save()));
    res.end();
  });
  app.use("/console", sessionConsole());
  const server = app.listen(0, "127.0.0.1", async () => {
    const base = "http://127.0.0.1:" + server.address().port;
    const cookie = (await fetch(base + "/login")).headers.getSetCookie()[0].split(";")[0];
    const get = (path) => fetch(base + path, { headers: { cookie } });
    const me = async () => (await get("/me")).json();
    const told = [await me(), /<script defer src=".+"><\\/script>/.test(await (await get("/console")).text())];
    if (!store) await get("/write");
    sessions.defineTask("sum", ({ params }) => params[0] + params[1]);
    told.push(await sessions.withClientlessSession("bob", (session) => session.start("sum", [1, 2]).result()));
    told.push(await killSessionByUser("alice"), await me(), await sessions.clearSessions());
    told.push(await getSession("A".repeat(43)).catch((error) => [error instanceof SessionError, error.code]));
    server.close();
    await sessions.close();
    console.log(JSON.stringify(told));
  });
`;

/**
 * An app in one file, on the store that its argument names: embedded, memory or datastore. It also uses what is loaded
 * on demand: the clearing job, administration, the console, clientless sessions, the embedded store's worker.
 */
export const WHOLE_APP = {
  esm: IMPORTS + APP,
  commonjs: IMPORTS.replace(/import (.+) from (".+")/g, "const $1 = require($2)") + APP,
  /** What it prints, as JSON. */
  told: [["alice", 0, "4111"], true, 3, 1, ["__guest__", null, null], 0, [true, "SESSION_NOT_FOUND"]],
};
