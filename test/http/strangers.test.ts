import { randomBytes } from "node:crypto";
import http from "node:http";
import { startApp } from "../support/app";
import type { AppOptions, RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { watchedStore } from "../support/watched-store";

const CONNECTIONS = 32;
const REQUESTS = 10_000;
const SECRETS = [randomBytes(32).toString("base64url")];

/** Sends many requests over a few connections; returns how many had each status, and how many set a cookie. */
async function flood(app: RunningApp, path: string, cookieOf: (n: number) => string | undefined, requests: number) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const seen = { ok: 0, cookies: 0 };
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < requests; n = next++) {
      const cookie = cookieOf(n);
      await new Promise<void>((resolve, reject) => {
        http
          .get(app.url + path, { agent, headers: cookie === undefined ? {} : { cookie } }, (res) => {
            if (res.statusCode === 200) seen.ok += 1;
            if (res.headers["set-cookie"] !== undefined) seen.cookies += 1;
            res.on("end", resolve).on("error", reject).resume();
          })
          .on("error", reject);
      });
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
  return seen;
}

async function run(options: AppOptions, cookieOf: (n: number) => string | undefined, requests: number, path = "/read") {
  const { store, calls } = watchedStore();
  const app = await startApp(countingRoutes, { store, ...options });
  try {
    const seen = await flood(app, path, cookieOf, requests);
    expect(seen).toEqual({ ok: requests, cookies: 0 });
    const asked = [...calls];
    expect(await app.sessions.getSessionInfo()).toEqual([]);
    expect(app.errors).toEqual([]);
    return asked;
  } finally {
    await app.close();
  }
}

const malformed = (n: number) => `sid=${randomBytes(n % 60).toString("base64url")}!`;
const forged = () => `sid=${randomBytes(32).toString("base64url")}`;
const badlySigned = () => `${forged()}.${randomBytes(32).toString("base64url")}`;

describe(`${REQUESTS.toLocaleString("en")} requests of strangers`, () => {
  it("P5: cost no store call, no record and no cookie where they carry no cookie", async () => {
    expect(await run({}, () => undefined, REQUESTS / 4)).toEqual([]);
  });

  it("P5: cost no store call, no record and no cookie where the cookie is malformed", async () => {
    expect(await run({}, malformed, REQUESTS / 4)).toEqual([]);
  });

  it("P5: cost one load each, no record and no cookie where an unsigned cookie is made up", async () => {
    expect(await run({}, forged, REQUESTS / 4)).toEqual(Array.from({ length: REQUESTS / 4 }, () => "load"));
  });

  it("P5: cost no store call, no record and no cookie where a signed cookie is forged", async () => {
    expect(await run({ secrets: SECRETS }, badlySigned, REQUESTS / 4)).toEqual([]);
  });

  it("P5: cost no store call where the app has no use for the session", async () => {
    expect(await run({}, () => undefined, 100, "/plain")).toEqual([]);
  });
});
