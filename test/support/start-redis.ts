import { connect } from "node:net";

/** The server that the tests use, where no other is named. */
const REDIS_ON_THIS_MACHINE = "redis://127.0.0.1:6379";
/** How long to wait for it, in milliseconds. */
const LOOK_MS = 3_000;

/**
 * Sets `COATCHECK_TEST_REDIS` where a Redis answers: the one that it names already, or the one on this machine. Where
 * none does, it says so.
 */
export async function lookForRedis(): Promise<void> {
  const url = process.env.COATCHECK_TEST_REDIS ?? REDIS_ON_THIS_MACHINE;
  if (await isThere(url)) {
    process.env.COATCHECK_TEST_REDIS = url;
    return;
  }
  delete process.env.COATCHECK_TEST_REDIS;
  process.stderr.write(NO_REDIS(new URL(url).host));
}

function isThere(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port || 6379), hostname);
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(LOOK_MS, () => done(false));
    socket.on("connect", () => done(true)).on("error", () => done(false));
  });
}

const NO_REDIS = (host: string) => `
${"=".repeat(100)}
  THE REDIS TESTS ARE ${process.env.CI ? "GOING TO FAIL" : "SKIPPED"}: no Redis answers at ${host}.

  Install Redis 6.2 or newer, or Valkey, and start it (apt-get install redis-server; redis-server --daemonize yes).
  Or set COATCHECK_TEST_REDIS=redis://host:port of one that is running already; the tests use key prefixes of their own.
${"=".repeat(100)}
`;
