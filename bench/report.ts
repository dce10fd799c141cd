import { CONNECTIONS } from "./load";
import type { Operation } from "./load";
import { CASES } from "./rounds";
import type { Case, Plan, Samples } from "./rounds";
import { CONTENT, SIZES } from "./session-data";
import type { Size } from "./session-data";
import type { Startup } from "./startup";
import { median, quantile } from "./statistics";
import { BARE, EMBEDDED, REFERENCE } from "./variants";
import type { Variant } from "./variants";

export interface Results {
  readonly machine: readonly string[];
  readonly plan: Plan;
  readonly samples: Samples;
  /** Bytes of the Cookie header, for each of `SIZES`. */
  readonly cookieBytes: ReadonlyMap<Variant, readonly number[]>;
  readonly startups: readonly Startup[];
  readonly absent: readonly string[];
}

/** The embedded store is to cost at most one of this many parts of the reference. */
const TARGETS: Readonly<Record<Size, Readonly<Record<Operation, number>>>> = {
  "200 B": { untouched: 6, read: 6, write: 5 },
  "4 KB": { untouched: 12, read: 12, write: 10 },
};

export function report(results: Results): string {
  return [
    "# What a session costs",
    "",
    ...results.machine.map((line) => `- ${line}`),
    `- ${results.plan.rounds} interleaved rounds of ${results.plan.measureMs} ms, ${CONNECTIONS} connections, medians`,
    ...results.absent.map((line) => `- ${line}`),
    "",
    "CPU time of the server per request that the sessions add to the same app without them, in microseconds (user and",
    "system, all threads). The bare app's row is its whole time.",
    "",
    ...addedTable(results.samples),
    "",
    `The same as a part of ${REFERENCE}: median over the rounds (quartiles).`,
    "",
    ...ratioTable(results.samples),
    "",
    ...sizesTable(results.cookieBytes),
    "",
    "Loading it into a fresh process.",
    "",
    ...startupTable(results.startups),
    "",
  ].join("\n");
}

/** What the sessions of a variant add to a request, in microseconds: one number for each round. */
export function added(samples: Samples, variant: Variant, one: Case): number[] {
  const bare = samplesOf(samples, BARE, one);
  return samplesOf(samples, variant.name, one).map((cpu, round) => cpu - (bare[round] ?? NaN));
}

function addedTable(samples: Samples): string[] {
  const rows = [...samples.keys()].map((variant) => {
    const bare = variant.name === BARE;
    const cells = CASES.map((one) => median(bare ? samplesOf(samples, BARE, one) : added(samples, variant, one)));
    return [variant.name, ...cells.map((cpu) => cpu.toFixed(1))];
  });
  return table(["", ...CASES.map(nameOf)], rows);
}

function ratioTable(samples: Samples): string[] {
  const reference = variantOf(samples, REFERENCE);
  const others = [...samples.keys()].filter(({ name }) => name !== BARE && name !== REFERENCE);
  const rows = others.map((variant) => [
    variant.name,
    ...CASES.map((one) => {
      const whole = added(samples, reference, one);
      return spread(added(samples, variant, one).map((part, round) => part / (whole[round] ?? NaN)));
    }),
  ]);
  const targets = CASES.map(({ size, operation }) => `≤ ${partOf(1 / TARGETS[size][operation])}`);
  return table(["", ...CASES.map(nameOf)], [...rows, [`to reach: ${EMBEDDED}`, ...targets]]);
}

function sizesTable(cookieBytes: Results["cookieBytes"]): string[] {
  const data = SIZES.map((size) => `${JSON.stringify(CONTENT[size]).length} B`);
  const cookies = [...cookieBytes].filter(([variant]) => variant.name !== BARE);
  return table(
    ["", ...SIZES],
    [
      ["the session as one JSON text", ...data],
      ...cookies.map(([variant, bytes]) => [`Cookie header, ${variant.name}`, ...bytes.map(cookieNote)]),
    ],
  );
}

function startupTable(startups: readonly Startup[]): string[] {
  return table(
    ["", "require, ms", "more memory, MiB", "loads the Datastore client"],
    startups.map((one) => [
      one.name,
      one.requireMs.toFixed(1),
      one.memoryMiB.toFixed(1),
      one.loadsDatastore ? "yes" : "no",
    ]),
  );
}

/** Browsers keep cookies of up to 4,096 bytes, name and attributes included. (RFC 6265bis §5.6) */
function cookieNote(bytes: number): string {
  return bytes > 4096 ? `${bytes} B, more than browsers keep` : `${bytes} B`;
}

function spread(ratios: readonly number[]): string {
  return `${partOf(median(ratios))} (${partOf(quantile(ratios, 0.75))} – ${partOf(quantile(ratios, 0.25))})`;
}

function partOf(ratio: number): string {
  if (ratio < 0.005) return "< 1/200";
  return ratio >= 0.5 ? ratio.toFixed(2) : `1/${Number((1 / ratio).toFixed(1))}`;
}

function nameOf({ size, operation }: Case): string {
  return `${size} ${operation}`;
}

function variantOf(samples: Samples, name: string): Variant {
  const variant = [...samples.keys()].find((one) => one.name === name);
  if (variant === undefined) throw new Error(`"${name}" was not measured, and everything is compared with it.`);
  return variant;
}

function samplesOf(samples: Samples, name: string, one: Case): readonly number[] {
  return samples.get(variantOf(samples, name))?.get(one) ?? [];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows].map(
    (row) => `| ${row.join(" | ")} |`,
  );
}
