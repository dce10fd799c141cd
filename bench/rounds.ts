import type { Operation } from "./load";
import { OPERATIONS, cpuPerRequest, signIn } from "./load";
import { ServerProcess } from "./server-process";
import type { Size } from "./session-data";
import { SIZES } from "./session-data";
import type { Variant } from "./variants";
import type { Visitor } from "./visitor";

/** How long and how often is measured. */
export interface Plan {
  readonly rounds: number;
  /** Of one operation on one variant in one round. */
  readonly measureMs: number;
  readonly warmUpMs: number;
}

/** One operation on sessions of one size. */
export interface Case {
  readonly size: Size;
  readonly operation: Operation;
}

export const CASES: readonly Case[] = SIZES.flatMap((size) => OPERATIONS.map((operation) => ({ size, operation })));

/** CPU time per request in microseconds, by variant and case: one number for each round. */
export type Samples = Map<Variant, Map<Case, number[]>>;

interface Contender {
  readonly variant: Variant;
  readonly server: ServerProcess;
  readonly visitors: ReadonlyMap<Size, readonly Visitor[]>;
}

/** Measures all variants in turn, round by round, so that a busy minute of the machine falls on all of them alike. */
export async function measure(variants: readonly Variant[], folderOf: (variant: Variant) => string, plan: Plan) {
  const contenders: Contender[] = [];
  for (const variant of variants) contenders.push(await enter(variant, folderOf(variant)));
  const samples: Samples = new Map(
    variants.map((variant) => [variant, new Map(CASES.map((one): [Case, number[]] => [one, []]))]),
  );

  await eachTurn(contenders, plan.warmUpMs, () => undefined);
  for (let round = 1; round <= plan.rounds; round += 1) {
    console.log(`round ${round} of ${plan.rounds}`);
    await eachTurn(contenders, plan.measureMs, ({ variant }, one, cpu) => samples.get(variant)?.get(one)?.push(cpu));
  }
  const cookieBytes = new Map(contenders.map((one) => [one.variant, SIZES.map((size) => cookieOf(one, size))]));
  for (const { server, visitors } of contenders) {
    for (const visitor of [...visitors.values()].flat()) visitor.leave();
    await server.stop();
  }
  return { samples, cookieBytes };
}

async function enter(variant: Variant, folder: string): Promise<Contender> {
  const server = await ServerProcess.start(variant, folder);
  const visitors = new Map<Size, readonly Visitor[]>();
  for (const size of SIZES) visitors.set(size, await signIn(server, size));
  return { variant, server, visitors };
}

async function eachTurn(
  contenders: readonly Contender[],
  durationMs: number,
  keep: (contender: Contender, one: Case, cpu: number) => void,
): Promise<void> {
  for (const one of CASES) {
    for (const contender of contenders) {
      const visitors = contender.visitors.get(one.size) ?? [];
      keep(contender, one, await cpuPerRequest(contender.server, visitors, one.operation, durationMs));
    }
  }
}

function cookieOf(contender: Contender, size: Size): number {
  return contender.visitors.get(size)?.[0]?.cookieBytes ?? 0;
}
