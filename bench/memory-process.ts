/**
 * Measures what a store in memory needs: `memory-process.ts <store> <sessions>` prints the bytes of one session of 200
 * B.
 */
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import type * as CoatcheckTesting from "coatcheck/testing";
import { ownerOf, sessionRecord } from "./seed-process";
import { CONTENT } from "./session-data";

type Keep = (id: string, n: number) => Promise<void> | void;

const load = createRequire(__filename);

const STORES: Record<string, (count: number) => Keep> = {
  "coatcheck, memory": (count) => {
    const store = new (load("../dist/testing/index.js") as typeof CoatcheckTesting).MemoryStore();
    return (id, n) => store.create(sessionRecord(id, ownerOf(n, count), Date.now(), Date.now() + 3_600_000));
  },
  "express-session, MemoryStore": () => {
    const { MemoryStore } = load("express-session") as {
      MemoryStore: new () => { set(id: string, session: object): void };
    };
    const store = new MemoryStore();
    const cookie = { originalMaxAge: 3_600_000, expires: new Date(), httpOnly: true, path: "/" };
    return (id) => store.set(id, { cookie, ...CONTENT["200 B"] });
  },
};

void main();

async function main(): Promise<void> {
  const [name = "", sessions = "0"] = process.argv.slice(2);
  const count = Number(sessions);
  const keep = STORES[name]?.(count);
  if (keep === undefined) throw new Error(`No store is called "${name}"; known are ${Object.keys(STORES).join("; ")}.`);
  const before = used();
  for (let n = 0; n < count; n += 1) await keep(randomBytes(32).toString("base64url"), n);
  console.log((used() - before) / count);
  // Using the store once more keeps it alive until its memory has been counted.
  await keep("the last", count);
}

function used(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
