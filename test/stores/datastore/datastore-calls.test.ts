import http from "node:http";
import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { GrpcProxy } from "../../support/grpc-proxy";

const VISITORS = 32;
const REQUESTS_EACH = 25;

describeOnEmulator(`${VISITORS} visitors of an app on DatastoreStore`, () => {
  let proxy: GrpcProxy;
  let app: RunningApp;
  let agent: http.Agent;

  beforeAll(async () => {
    proxy = await new GrpcProxy(emulatorHost()).open();
    const store = new DatastoreStore({ emulatorHost: proxy.address, namespace: freshNamespace(), timeoutMs: 20_000 });
    app = await startApp(countingRoutes, { store, storeTimeout: "20s" });
    agent = new http.Agent({ keepAlive: true });
  });

  afterAll(async () => {
    agent.destroy();
    await app.close();
    await proxy.close();
  });

  const get = (path: string, cookie: string | undefined) =>
    new Promise<string | undefined>((resolve, reject) => {
      const headers = cookie === undefined ? {} : { cookie };
      http
        .get(app.url + path, { agent, headers }, (res) => {
          if (res.statusCode !== 200) reject(new Error(`${path} answered ${String(res.statusCode)}`));
          res.on("end", () => resolve(res.headers["set-cookie"]?.[0]?.split(";")[0])).resume();
        })
        .on("error", reject);
    });

  /** Calls to Datastore per request, where each visitor sends the next request after the previous response. */
  const callsPerRequest = async (path: string, isStranger = false) => {
    const visitors = await Promise.all(
      Array.from({ length: VISITORS }, () => (isStranger ? undefined : get("/count", undefined))),
    );
    const before = sum(proxy.calls);
    const visit = async (cookie: string | undefined) => {
      for (let n = 0; n < REQUESTS_EACH; n += 1) await get(path, cookie);
    };
    await Promise.all(visitors.map(visit));
    return (sum(proxy.calls) - before) / (VISITORS * REQUESTS_EACH);
  };

  it("make no call for strangers", async () => {
    expect(await callsPerRequest("/read", true)).toBe(0);
  });

  it("make at most one call for ten requests that read", async () => {
    expect(await callsPerRequest("/read")).toBeLessThanOrEqual(0.1);
  });

  it("make at most one call for four requests that write", async () => {
    expect(await callsPerRequest("/count")).toBeLessThanOrEqual(0.25);
  });
});

function sum(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((total, count) => total + count, 0);
}
