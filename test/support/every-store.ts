import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Datastore } from "@google-cloud/datastore";
import { open } from "lmdb";
import { DatastoreStore } from "../../lib/stores/datastore-store";
import { LmdbStore } from "../../lib/stores/lmdb-store";
import { MemoryStore } from "../../lib/stores/memory-store";
import type { SessionStore, StoreOptions } from "../../lib/stores/store";
import { describeOnEmulator, emulatorHost, freshNamespace } from "./datastore-emulator";
import { rawDatabase } from "./raw-lmdb";

/** One of our stores. Every store that it opens is empty, shares nothing with the others, and is released after the suite. */
export interface EveryStore {
  readonly name: "MemoryStore" | "LmdbStore" | "DatastoreStore";
  open(options?: StoreOptions): Promise<SessionStore>;
  /** All that a store of this suite keeps, as the bytes that it keeps it in. */
  bytesOf(store: SessionStore): Promise<Buffer>;
  /** Makes a stored session one that a later version has written. Absent where no other version can write. */
  readonly writeNewerFormat?: (store: SessionStore, id: string) => Promise<void>;
}

/** Runs a suite on MemoryStore, LmdbStore and, where the emulator can be had, DatastoreStore. */
export function describeOnEveryStore(name: string, body: (store: EveryStore) => void): void {
  describe(`${name}, on MemoryStore`, () => body(memory()));
  describe(`${name}, on LmdbStore`, () => body(lmdb()));
  describeOnEmulator(`${name}, on DatastoreStore`, () => body(datastore()));
}

function memory(): EveryStore {
  return {
    name: "MemoryStore",
    open: async (options) => new MemoryStore(options),
    bytesOf: async (store) => {
      const parts: string[] = [];
      for (const state of ["live", "ended"] as const) {
        for await (const record of store.find({ state })) collect(record, parts);
      }
      return Buffer.from(parts.join("\n"), "latin1");
    },
  };
}

function lmdb(): EveryStore {
  const paths = new Map<SessionStore, string>();
  afterAll(async () => {
    for (const [store, path] of paths) {
      await store.close();
      await rm(path, { recursive: true });
    }
  });
  return {
    name: "LmdbStore",
    open: async (options) => {
      const path = await mkdtemp(join(tmpdir(), "coatcheck-test-"));
      const store = new LmdbStore({ ...options, path });
      paths.set(store, path);
      return store;
    },
    bytesOf: async (store) => {
      const path = known(paths.get(store));
      const names = await readdir(path);
      return Buffer.concat(await Promise.all(names.map((name) => readFile(join(path, name)))));
    },
    writeNewerFormat: async (store, id) => {
      const raw = open({ path: known(paths.get(store)), noSubdir: false });
      const live = rawDatabase(raw, "live");
      const record = known(live.get(id));
      record[0] = NEWER;
      record.writeUInt32LE(crc32(record.subarray(0, -4)), record.length - 4);
      await live.put(id, record, 1);
      await raw.close();
    },
  };
}

function datastore(): EveryStore {
  const namespaces = new Map<SessionStore, string>();
  afterAll(() => Promise.all([...namespaces.keys()].map((store) => store.close())));
  return {
    name: "DatastoreStore",
    open: async (options) => {
      const namespace = freshNamespace();
      const store = new DatastoreStore({
        ...{ projectId: PROJECT, emulatorHost: emulatorHost(), namespace, timeoutMs: 20_000 },
        ...options,
      });
      namespaces.set(store, namespace);
      await store.load("a first call, which connects");
      return store;
    },
    bytesOf: async (store) => {
      const namespace = known(namespaces.get(store));
      const client = clientFor(namespace);
      // Without a kind: whatever was put there.
      const [entities] = await client.runQuery(client.createQuery(), { wrapNumbers: true });
      const parts: string[] = [];
      for (const entity of entities) collect([entity, entity[client.KEY]], parts);
      return Buffer.from(parts.join("\n"), "latin1");
    },
    writeNewerFormat: async (store, id) => {
      const client = clientFor(known(namespaces.get(store)));
      await client.merge({ key: client.key(["session", id]), data: { v: NEWER } });
    },
  };
}

const PROJECT = "demo-coatcheck";
/** A format that this version does not know. */
const NEWER = 2;

// Google's client otherwise looks for a network of Google's, whatever it is told about the emulator.
process.env.METADATA_SERVER_DETECTION ??= "none";

function clientFor(namespace: string): Datastore {
  return new Datastore({ projectId: PROJECT, namespace, apiEndpoint: emulatorHost() });
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("This store is not one that the suite opened.");
  return value;
}

/** Every name, text and byte in what was stored, as latin1, so that one search finds texts and bytes alike. */
function collect(value: unknown, parts: string[], seen = new Set<object>()): void {
  if (typeof value === "object" && value !== null) {
    if (seen.has(value)) return;
    seen.add(value);
    if (value instanceof Uint8Array || Buffer.isBuffer(value)) {
      parts.push(Buffer.from(value).toString("latin1"));
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      parts.push(Buffer.from(name).toString("latin1"));
      collect(inner, parts, seen);
    }
    return;
  }
  parts.push(Buffer.from(String(value)).toString("latin1"));
}
