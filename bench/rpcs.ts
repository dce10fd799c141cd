import { CONNECTIONS, arrive, load, signIn } from "./load";
import type { Operation } from "./load";
import { watchDatabase } from "./database-calls";
import { POSTGRES, REDIS } from "./database-variants";
import { ServerProcess } from "./server-process";
import { table } from "./tables";
import { DATASTORE, does } from "./variants";
import type { Variant } from "./variants";
import type { Visitor } from "./visitor";

/** Calls to the database for one request, by who makes it and what it does. */
export interface RpcCount {
  readonly variant: Variant;
  readonly who: Who;
  /** How many requests are under way at the same time. */
  readonly inFlight: number;
  readonly perRequest: number;
  /** The same by method (`Lookup`, …), command (`hgetall`, …) or the first word of a statement (`SELECT`, …). */
  readonly byMethod: Readonly<Record<string, number>>;
}

const WHO = ["stranger", "read", "write"] as const;
type Who = (typeof WHO)[number];

const IN_FLIGHT = [1, CONNECTIONS] as const;
const COLUMNS = IN_FLIGHT.flatMap((inFlight) => WHO.map((who) => ({ inFlight, who })));

/** The most calls for one request, with 32 requests in flight. A write loads its session, and then saves it. */
const TARGETS: Readonly<Record<string, Readonly<Record<Who, number>>>> = {
  [DATASTORE]: { stranger: 0, read: 0.1, write: 0.25 },
  [REDIS]: { stranger: 0, read: 1, write: 2 },
  [POSTGRES]: { stranger: 0, read: 0.2, write: 0.2 },
};

/** Only counts, so a busy machine changes nothing but how many requests share a call. */
export async function countRpcsPerRequest(
  variants: readonly Variant[],
  folderOf: () => string,
  durationMs: number,
): Promise<RpcCount[]> {
  const counts: RpcCount[] = [];
  for (const variant of variants) {
    const { service } = variant;
    if (service === undefined) continue;
    const server = await ServerProcess.start(variant, folderOf());
    const watch = service === "datastore" ? undefined : await watchDatabase(service);
    const countsNow = async (): Promise<Readonly<Record<string, number>>> => {
      if (watch === undefined) return await server.rpcs();
      return Object.fromEntries(Object.entries(await watch.calls()).map(([name, { calls }]) => [name, calls]));
    };
    const known = await signIn(server, "200 B");
    const strangers = await arrive(server, CONNECTIONS);
    // The first touch of each visitor should not be counted.
    await load(server, known, does(variant, "write") ? "write" : "read", durationMs);
    for (const { inFlight, who } of COLUMNS) {
      const [visitors, operation]: [readonly Visitor[], Operation] =
        who === "stranger" ? [strangers, "read"] : [known, who];
      if (!does(variant, operation)) continue;
      const before = await countsNow();
      const { requests } = await load(server, visitors.slice(0, inFlight), operation, durationMs);
      const after = await countsNow();
      const byMethod = Object.fromEntries(
        Object.entries(after).map(([method, count]) => [method, (count - (before[method] ?? 0)) / requests]),
      );
      const perRequest = Object.values(byMethod).reduce((sum, each) => sum + each, 0);
      counts.push({ variant, who, inFlight, perRequest, byMethod });
    }
    for (const visitor of [...known, ...strangers]) visitor.leave();
    await watch?.close();
    await server.stop();
  }
  return counts;
}

export function rpcReport(counts: readonly RpcCount[]): string[] {
  if (counts.length === 0) return [];
  const variants = [...new Set(counts.map(({ variant }) => variant))];
  const cell = (variant: Variant, { who, inFlight }: (typeof COLUMNS)[number]) => {
    const count = counts.find((one) => one.variant === variant && one.who === who && one.inFlight === inFlight);
    if (count === undefined) return "–";
    const methods = Object.entries(count.byMethod).filter(([, each]) => each > 0);
    const parts = methods.map(([method, each]) => `${method} ${each.toFixed(3)}`);
    return `${count.perRequest.toFixed(3)}${parts.length > 1 ? ` (${parts.join(", ")})` : ""}`;
  };
  return [
    "## Calls to the database for one request",
    "",
    `Counted with ${IN_FLIGHT.join(" and with ")} requests in flight; a session of 200 B. Those to Datastore are counted in the server, on the`,
    "emulator (what is billed is entities, not calls); those to Redis by its `INFO commandstats`, where a script is one call;",
    "statements of PostgreSQL by its `pg_stat_statements`.",
    "",
    ...table(
      ["", ...COLUMNS.map(({ who, inFlight }) => `${who}, ${inFlight}`)],
      [
        ...variants.map((variant) => [variant.name, ...COLUMNS.map((column) => cell(variant, column))]),
        ...variants.flatMap(({ name }) => {
          const targets = TARGETS[name];
          return targets === undefined
            ? []
            : [
                [
                  `to reach: ${name}`,
                  ...COLUMNS.map(({ who, inFlight }) => (inFlight === 1 ? "" : `≤ ${targets[who]}`)),
                ],
              ];
        }),
      ],
    ),
    "",
  ];
}
