import type { Load, Operation } from "./load";
import { load, signIn } from "./load";
import { warmUp } from "./rounds";
import type { Plan } from "./rounds";
import { ServerProcess } from "./server-process";
import { median } from "./statistics";
import { table } from "./tables";
import { does } from "./variants";
import type { Variant } from "./variants";
import type { Visitor } from "./visitor";

const CONNECTION_COUNTS = [1, 32, 256] as const;
const SIZE = "200 B";
const MEASURED: readonly Operation[] = ["read", "write"];

interface Column {
  readonly operation: Operation;
  readonly connections: number;
}

const COLUMNS: readonly Column[] = MEASURED.flatMap((operation) =>
  CONNECTION_COUNTS.map((connections) => ({ operation, connections })),
);

export type ConnectionSamples = Map<Variant, Map<Column, Load[]>>;

/** Measures requests a second and their tail, with one connection, some and many, in interleaved rounds. */
export async function measureConnections(
  variants: readonly Variant[],
  folderOf: () => string,
  plan: Plan,
): Promise<ConnectionSamples> {
  const contenders: { variant: Variant; server: ServerProcess; visitors: readonly Visitor[] }[] = [];
  for (const variant of variants) {
    const server = await ServerProcess.start(variant, folderOf());
    contenders.push({ variant, server, visitors: await signIn(server, SIZE, Math.max(...CONNECTION_COUNTS)) });
  }
  const samples: ConnectionSamples = new Map(
    variants.map((variant) => [variant, new Map(COLUMNS.map((one): [Column, Load[]] => [one, []]))]),
  );
  for (let round = 0; round <= plan.rounds; round += 1) {
    for (const column of COLUMNS) {
      for (const { variant, server, visitors } of contenders) {
        if (!does(variant, column.operation)) continue;
        const some = visitors.slice(0, column.connections);
        const share = MEASURED.filter((operation) => does(variant, operation)).length / MEASURED.length;
        if (round === 0) {
          await warmUp(server, some, column.operation, plan, share);
          continue;
        }
        await load(server, some, column.operation, plan.leadMs / share);
        const done = await load(server, some, column.operation, plan.measureMs);
        samples.get(variant)?.get(column)?.push(done);
      }
    }
  }
  for (const { server, visitors } of contenders) {
    for (const visitor of visitors) visitor.leave();
    await server.stop();
  }
  return samples;
}

export function connectionsReport(samples: ConnectionSamples): string[] {
  const head = ["", ...COLUMNS.map(({ operation, connections }) => `${operation}, ${connections}`)];
  const rows = (numberOf: (load: Load) => number, digits: number) =>
    [...samples].map(([variant, columns]) => [
      variant.name,
      ...COLUMNS.map((one) => cell((columns.get(one) ?? []).map(numberOf), digits)),
    ]);
  return [
    "## Requests a second, and their tail",
    "",
    `A session of ${SIZE}; by operation and number of connections. Requests a second:`,
    "",
    ...table(
      head,
      rows(({ perSecond }) => perSecond, 0),
    ),
    "",
    "Milliseconds within which 99 of 100 requests were answered, while the server was asked as much as it could take:",
    "",
    ...table(
      head,
      rows(({ p99Ms }) => p99Ms, 1),
    ),
    "",
  ];
}

/** The median over the rounds; a variant that can't do what is asked has none. */
function cell(values: readonly number[], digits: number): string {
  return values.length === 0 ? "–" : median(values).toFixed(digits);
}
