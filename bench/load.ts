import type { ServerProcess } from "./server-process";
import type { Size } from "./session-data";
import { Visitor } from "./visitor";

/** Connections at a time, each with a session of its own. */
export const CONNECTIONS = 32;

export const OPERATIONS = ["untouched", "read", "write"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** As many visitors as there are connections, each with a session of the given size. */
export async function signIn(server: ServerProcess, size: Size): Promise<Visitor[]> {
  const visitors = await Promise.all(Array.from({ length: CONNECTIONS }, () => Visitor.arrive(server.port)));
  for (const visitor of visitors) await visitor.get(`/sign-in/${encodeURIComponent(size)}`);
  return visitors;
}

/** CPU time of the server for one request, in microseconds, while all the visitors ask as fast as they are answered. */
export async function cpuPerRequest(
  server: ServerProcess,
  visitors: readonly Visitor[],
  operation: Operation,
  durationMs: number,
): Promise<number> {
  const before = await server.cpu();
  const end = performance.now() + durationMs;
  const counts = await Promise.all(visitors.map((visitor) => askUntil(end, visitor, `/${operation}`)));
  const after = await server.cpu();
  return (after - before) / counts.reduce((sum, count) => sum + count, 0);
}

async function askUntil(end: number, visitor: Visitor, path: string): Promise<number> {
  let count = 0;
  while (performance.now() < end) {
    await visitor.get(path);
    count += 1;
  }
  return count;
}
