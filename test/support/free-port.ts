import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that systems give to connections, and to servers that ask for any port: Linux begins at 32,768,
 * others at 49,152.
 */
const FIRST = 16_000;
const LAST = 32_000;
const ATTEMPTS = 100;

/**
 * A port of this machine on which nobody listens, and which the system gives to nobody before it is used. With `beside`,
 * the port that many above it is free as well: the nodes of a Redis Cluster talk to each other on the one 10,000 above.
 */
export async function freePort(beside = 0): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - beside - FIRST));
    if ((await isFree(port)) && (beside === 0 || (await isFree(port + beside)))) return port;
  }
  throw new Error(`None of ${ATTEMPTS} ports between ${FIRST} and ${LAST} was free.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
