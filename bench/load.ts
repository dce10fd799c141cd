import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "./server-process";
import type { Size } from "./session-data";
import { quantile } from "./statistics";
import { Visitor } from "./visitor";

/** Connections at a time, each with a session of its own. */
export const CONNECTIONS = 32;

export const OPERATIONS = ["untouched", "read", "write", "deep"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** What a server did while every visitor sent its next request as soon as the last one was answered. */
export interface Load {
  /** CPU time of the server for one request, in microseconds. */
  readonly cpuUs: number;
  readonly perSecond: number;
  /** Ninety-nine of a hundred requests took no longer, in milliseconds. */
  readonly p99Ms: number;
  readonly requests: number;
}

/** As many visitors as there are connections, each with a session of the given size. */
export async function signIn(server: ServerProcess, size: Size, connections = CONNECTIONS): Promise<Visitor[]> {
  const visitors = await arrive(server, connections);
  for (const visitor of visitors) await visitor.get(`/sign-in/${encodeURIComponent(size)}`);
  return visitors;
}

/** Visitors without a session. */
export async function arrive(server: ServerProcess, connections: number): Promise<Visitor[]> {
  return await Promise.all(Array.from({ length: connections }, () => Visitor.arrive(server.port)));
}

/** Lets all visitors send requests for `durationMs`, each pausing for `pauseMs` after a response. */
export async function load(
  server: ServerProcess,
  visitors: readonly Visitor[],
  operation: Operation,
  durationMs: number,
  pauseMs = 0,
): Promise<Load> {
  const before = await server.cpu();
  const start = performance.now();
  const end = start + durationMs;
  const latencies = (
    await Promise.all(visitors.map((one) => askUntil(end, one, () => `/${operation}`, pauseMs)))
  ).flat();
  const seconds = (performance.now() - start) / 1000;
  const after = await server.cpu();
  const requests = latencies.length;
  return {
    cpuUs: (after - before) / requests,
    perSecond: requests / seconds,
    p99Ms: quantile(latencies, 0.99),
    requests,
  };
}

/** Resolves to how long each request took, in milliseconds. */
export async function askUntil(end: number, visitor: Visitor, nextPath: () => string, pauseMs = 0): Promise<number[]> {
  const latencies: number[] = [];
  // At least one, so that a slow server is seen, and nothing is divided by zero.
  do {
    const asked = performance.now();
    await visitor.get(nextPath());
    latencies.push(performance.now() - asked);
    if (pauseMs > 0) await sleep(pauseMs);
  } while (performance.now() < end);
  return latencies;
}
