import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { findPostgres } from "./find-postgres";
import { freePort } from "./free-port";
import { nginxPath } from "./nginx";
import { missingForEmulator, startEmulator } from "./start-emulator";
import type { Emulator } from "./start-emulator";
import { lookForRedis } from "./start-redis";

declare global {
  /** Ends what `globalSetup` began; `global-teardown.ts` calls it. */
  var endDatastoreEmulator: (() => Promise<void>) | undefined;
}

/**
 * Says what this machine lacks, finds PostgreSQL, and makes the Datastore emulator available to all test files:
 * `DATASTORE_TEST_HOST` says where it is, and a request to `DATASTORE_TEST_STARTER` starts it. A run that needs no
 * Datastore never starts it.
 */
export default async function globalSetup(): Promise<void> {
  if (nginxPath() === undefined) process.stderr.write(NO_NGINX);
  await findPostgres();
  await lookForRedis();
  if (process.env.DATASTORE_TEST_HOST !== undefined) return;
  const missing = missingForEmulator();
  if (missing !== undefined) {
    process.stderr.write(NO_EMULATOR(missing));
    return;
  }
  const host = `127.0.0.1:${await freePort()}`;
  let emulator: Promise<Emulator> | undefined;
  const starter = createServer((_req, res) => {
    emulator ??= startEmulator(host);
    emulator.then(
      () => res.end("ready"),
      (error: unknown) => res.writeHead(500).end(String(error)),
    );
  });
  process.env.DATASTORE_TEST_HOST = host;
  process.env.DATASTORE_TEST_STARTER = `http://127.0.0.1:${await listen(starter)}/`;
  globalThis.endDatastoreEmulator = async () => {
    starter.close();
    starter.closeAllConnections();
    await emulator?.then(
      (started) => started.stop(),
      () => undefined, // The tests that wanted it have failed with the reason.
    );
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const NO_EMULATOR = (missing: string) => `
${"=".repeat(100)}
  THE DATASTORE TESTS ARE ${process.env.CI ? "GOING TO FAIL" : "SKIPPED"}: this machine lacks ${missing}.

  They run on Google's emulator. To have it:
    1. the gcloud CLI:   https://cloud.google.com/sdk/docs/install
    2. the emulator:     gcloud components install cloud-firestore-emulator
    3. Java 11 or later
  Or set DATASTORE_TEST_HOST=host:port of an emulator in Datastore mode that is running already.
${"=".repeat(100)}
`;

const NO_NGINX = `
${"=".repeat(100)}
  THE TESTS BEHIND A PROXY ARE SKIPPED: this machine lacks nginx.

  To have it: apt-get install nginx (its service need not run: the tests start their own).
${"=".repeat(100)}
`;
