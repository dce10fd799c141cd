import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inspect, promisify } from "node:util";
import { DatastoreConnection } from "../../../lib/stores/datastore/calls/datastore-connection";
import { refusalOf } from "../../../lib/stores/datastore/datastore-errors";
import { DatastoreStore } from "../../../lib/stores/datastore/datastore-store";
import { describeOnEmulator, emulatorHost, freshNamespace } from "../../support/datastore-emulator";
import { closedGate } from "../../support/gate";
import { GrpcProxy } from "../../support/grpc-proxy";
import { killed, sessionRecord } from "../../support/session-records";
import { TcpRelay } from "../../support/tcp-relay";

const NOBODY_LISTENS = "127.0.0.1:1";
const libFile = JSON.stringify(resolve(__dirname, "../../../lib/stores/datastore/datastore-store.ts"));

/** Runs a script in its own process, with little more than the environment given. */
async function run(script: string, env: Record<string, string> = {}): Promise<string> {
  const { PATH } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "-e", script], {
    env: { PATH, METADATA_SERVER_DETECTION: "none", ...env },
    timeout: 25_000,
  });
  return stdout.trim();
}

describe("DatastoreStore without a Datastore", () => {
  it("P7: reads and writes fail with the reason where nothing listens", async () => {
    const store = new DatastoreStore({ emulatorHost: NOBODY_LISTENS });
    const failed = { code: "SESSION_STORE", status: 503, cause: expect.anything() };
    await expect(store.load("a")).rejects.toMatchObject(failed);
    await expect(store.create(sessionRecord())).rejects.toMatchObject(failed);
    await expect(store.update("a", { owner: "b" })).rejects.toMatchObject(failed);
    await expect(store.end("a", killed())).rejects.toMatchObject(failed);
    await expect(store.clear(Date.now())).rejects.toMatchObject(failed);
    await expect(store.find({ state: "live" }).next()).rejects.toMatchObject(failed);
    await store.close();
  });

  it("P7: gives up at its deadline where Datastore never responds", async () => {
    const lines: Socket[] = [];
    const silent = createServer((line) => lines.push(line));
    await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
    const { port } = silent.address() as AddressInfo;
    const store = new DatastoreStore({ emulatorHost: `127.0.0.1:${port}`, timeoutMs: 200 });
    await expect(store.load("a")).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT", status: 503 });
    await expect(store.create(sessionRecord())).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
    await store.close();
    for (const line of lines) line.destroy();
    silent.close();
  });

  it("says what to set where there are no credentials, and leaves no rejection unhandled", async () => {
    const home = mkdtempSync(join(tmpdir(), "nobody-"));
    const answer = await run(
      `const { DatastoreStore } = require(${libFile});
       process.on("unhandledRejection", (error) => { console.log("UNHANDLED", error); process.exit(1); });
       const codes = [];
       const report = (error) => codes.push(error.code + " " + error.message);
       const store = new DatastoreStore({ timeoutMs: 20000 });
       store.load("a").catch(report).then(() => store.load("a")).catch(report).then(() => store.close())
         .then(() => setTimeout(() => console.log(codes.join("\\n")), 50));`,
      { HOME: home, CLOUDSDK_CONFIG: home, DATASTORE_PROJECT_ID: "nobodys-project" },
    );
    const lines = answer.split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^SESSION_STORE .*GOOGLE_APPLICATION_CREDENTIALS/);
  });

  it.each([
    "The database shop does not exist for project my-project.",
    "The project my-project does not exist or it does not contain an active Cloud Datastore or Firestore database.",
  ])("P7: doesn't take a missing database for an ended session: %s", (message) => {
    const notFound = Object.assign(new Error(`5 NOT_FOUND: ${message}`), { code: 5 });
    const update = { update: { key: { partitionId: { namespaceId: "", databaseId: "" }, path: [] }, properties: {} } };
    expect(refusalOf(notFound, [update])).toBeUndefined();
  });

  it("refuses an emulator's address that it can't read", () => {
    const make = () => new DatastoreStore({ emulatorHost: "nonsense" });
    expect(make).toThrow(expect.objectContaining({ code: "SESSION_CONFIG" }));
    expect(make).toThrow(/"nonsense".*127\.0\.0\.1:8081/);
  });

  it.each([
    ["timeoutMs", 0],
    ["timeoutMs", "5s"],
    ["timeoutMs", Infinity],
    ["kind", ""],
    ["kind", "__kind__"],
    ["namespace", null],
    ["databaseId", "(default)"],
  ])("refuses %s: %j and names both", (name, value) => {
    const make = () => new DatastoreStore({ emulatorHost: NOBODY_LISTENS, [name]: value });
    expect(make).toThrow(expect.objectContaining({ code: "SESSION_CONFIG" }));
    expect(make).toThrow(`Option ${name} of DatastoreStore can't be ${inspect(value)};`);
  });

  it("refuses what Datastore can't hold before it sends anything", async () => {
    const store = new DatastoreStore({ emulatorHost: NOBODY_LISTENS });
    const large = { a: JSON.stringify("x".repeat(600_000)), b: JSON.stringify("y".repeat(600_000)) };
    await expect(store.create(sessionRecord({ data: large }))).rejects.toMatchObject({ code: "SESSION_TOO_LARGE" });
    const huge = { a: new Uint8Array(1_048_488) };
    await expect(store.update("a", { data: { set: huge } })).rejects.toMatchObject({ code: "SESSION_TOO_LARGE" });
    const owner = "x".repeat(1_501);
    await expect(store.create(sessionRecord({ owner }))).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    await expect(store.create(sessionRecord({ id: "" }))).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    const longKey = { ["k".repeat(1_500)]: "1" };
    await expect(store.update("a", { data: { set: longKey } })).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    await store.close();
  });

  it("finds no session for an impossible id, without a call", async () => {
    const store = new DatastoreStore({ emulatorHost: NOBODY_LISTENS });
    for (const id of ["", "__x__", "x".repeat(1_501)]) {
      expect(await store.load(id)).toBeUndefined();
      expect(await store.update(id, { owner: "a" })).toBe(false);
      expect(await store.mutate(id, () => ({ owner: "a" }))).toBeUndefined();
      expect(await store.end(id, killed())).toBe(false);
      expect(await store.find({ state: "live", id }).next()).toEqual({ done: true, value: undefined });
    }
    await store.close();
  });
});

describeOnEmulator("DatastoreStore on a bad line", () => {
  let relay: TcpRelay;
  let store: DatastoreStore;
  let behind: DatastoreStore;

  beforeEach(async () => {
    relay = await new TcpRelay(emulatorHost()).open();
    const namespace = freshNamespace();
    store = new DatastoreStore({ emulatorHost: relay.address, namespace, timeoutMs: 3_000 });
    behind = new DatastoreStore({ emulatorHost: emulatorHost(), namespace });
  });

  afterEach(async () => {
    await Promise.all([store.close(), behind.close()]);
    await relay.close();
  });

  it("P7: recovers without a restart once the connection is back", async () => {
    const record = sessionRecord();
    await store.create(record);
    await relay.close();
    await expect(store.load(record.id)).rejects.toMatchObject({ code: "SESSION_STORE" });
    await relay.open();
    let loaded;
    while (loaded === undefined) loaded = await store.load(record.id).catch(() => undefined);
    expect(loaded.id).toBe(record.id);
  });

  it("P2: never repeats a create whose response was lost", async () => {
    const record = sessionRecord();
    await store.load(record.id);
    relay.keepsAnswers = true;
    await expect(store.create(record)).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT" });
    expect((await behind.load(record.id))?.id).toBe(record.id);
    await behind.end(record.id, killed());
    relay.keepsAnswers = false;
    await new Promise((later) => setTimeout(later, 2_000));
    expect(await behind.load(record.id)).toBeUndefined();
  });

  it("P7: rejects an update whose response was lost, and adds to a counter once", async () => {
    const record = sessionRecord();
    await store.create(record);
    relay.keepsAnswers = true;
    await expect(store.update(record.id, { counters: { n: 1 } })).rejects.toMatchObject({
      code: "SESSION_STORE_TIMEOUT",
    });
    expect((await behind.load(record.id))?.counters.n).toBe(1);
  });

  it("P7: sends nothing after its deadline where signing in took longer", async () => {
    const connecting = jest.spyOn(DatastoreConnection.prototype, "connect");
    const signingIn = closedGate();
    connecting.mockImplementationOnce(async function (this: DatastoreConnection) {
      await signingIn.pass();
      return this.connect();
    });
    const proxy = await new GrpcProxy(emulatorHost()).open();
    const hasty = new DatastoreStore({ emulatorHost: proxy.address, timeoutMs: 2_000 });
    await expect(hasty.create(sessionRecord())).rejects.toMatchObject({ code: "SESSION_STORE_TIMEOUT", status: 503 });
    signingIn.open();
    await Promise.all(connecting.mock.results.map(({ value }) => value as Promise<unknown>));
    connecting.mockRestore();
    // What was sent comes before this.
    await hasty.load("a").catch(() => undefined);
    expect(Object.keys(proxy.calls)).toEqual(["Lookup"]);
    await hasty.close();
    await proxy.close();
  });

  it("waits for what is under way before it closes", async () => {
    const record = sessionRecord();
    const creating = store.create(record);
    await store.close();
    await expect(creating).resolves.toBeUndefined();
    expect((await behind.load(record.id))?.id).toBe(record.id);
  });
});

describeOnEmulator("A process that uses DatastoreStore", () => {
  it("loads the client when a store is made and not before, and the process may end without closing the store", async () => {
    const loaded = `Object.keys(require.cache).some((file) => file.includes("@google-cloud/datastore"))`;
    const answer = await run(
      `const { DatastoreStore } = require(${libFile});
       console.log(${loaded});
       const store = new DatastoreStore();
       console.log(${loaded});
       store.load("nobody").then((record) => console.log(record));`,
      { DATASTORE_EMULATOR_HOST: emulatorHost(), DATASTORE_PROJECT_ID: "demo-process" },
    );
    expect(answer.split("\n")).toEqual(["false", "true", "undefined"]);
  });
});
