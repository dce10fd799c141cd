import { freePort } from "./free-port";
import { startEmulator } from "./start-emulator";
import type { Emulator } from "./start-emulator";

/**
 * Where the tests find the Datastore emulator. There is one for the whole run, which starts when the first test asks
 * `global-setup.ts` for it.
 */

/** Set where the emulator can be started, or is running already. */
const host = process.env.DATASTORE_TEST_HOST;
const starter = process.env.DATASTORE_TEST_STARTER;

/** Longest time in milliseconds that the emulator may take to start. */
const START_TIMEOUT_MS = 90_000;

/** `host:port` of the emulator, for tests inside `describeOnEmulator`. */
export function emulatorHost(): string {
  if (host === undefined)
    throw new Error("There is no Datastore emulator: use emulatorHost inside describeOnEmulator.");
  return host;
}

/**
 * `describe` for tests that need the emulator: it is ready when they run. Without it they are skipped, and
 * `global-setup.ts` says so; on a build server (`CI`) they fail instead.
 */
export function describeOnEmulator(name: string, body: () => void): void {
  describeUnlessMissing(name, () => {
    beforeAll(startSharedEmulator, START_TIMEOUT_MS);
    body();
  });
}

/**
 * The same for tests that store so much that the emulator would stay slow: they get one of their own, unless the run
 * was given a running one. `host()` is its address.
 */
export function describeOnOwnEmulator(name: string, body: (host: () => string) => void): void {
  describeUnlessMissing(name, () => {
    let own: Emulator | undefined;
    let ownHost: string | undefined;
    beforeAll(async () => {
      if (starter === undefined) return startSharedEmulator();
      ownHost = `127.0.0.1:${await freePort()}`;
      own = await startEmulator(ownHost);
    }, START_TIMEOUT_MS);
    afterAll(() => own?.stop());
    body(() => ownHost ?? emulatorHost());
  });
}

function describeUnlessMissing(name: string, body: () => void): void {
  if (host === undefined && !process.env.CI) describe.skip(name, body);
  else describe(name, body);
}

/** A namespace that no other test uses. */
export function freshNamespace(): string {
  return `n${process.pid}-${Date.now().toString(36)}-${(namespaces += 1)}`;
}

let namespaces = 0;

async function startSharedEmulator(): Promise<void> {
  if (host === undefined)
    throw new Error("CI is set, and the Datastore emulator can't be had: see the start of the output.");
  if (starter === undefined) return;
  const answer = await fetch(starter, { method: "POST" });
  if (!answer.ok) throw new Error(await answer.text());
}
