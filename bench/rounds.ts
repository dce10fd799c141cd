import type { Load, Operation } from "./load";
import { OPERATIONS, load, signIn } from "./load";
import { ServerProcess } from "./server-process";
import type { Size } from "./session-data";
import { SIZES } from "./session-data";
import { does, holds } from "./variants";
import type { Variant } from "./variants";
import type { Visitor } from "./visitor";

/** How long and how often is measured. */
export interface Plan {
  readonly rounds: number;
  /** How long one operation is measured on one variant in one round. */
  readonly measureMs: number;
  /** The same, unmeasured, right before: V8 shrinks the heap of a server that has been idle for a while. */
  readonly leadMs: number;
  /** The longest warm-up of one operation on one variant. */
  readonly warmUpMs: number;
  /** The warm-up ends earlier after this many requests: V8 compiles what ran often, however long that took. */
  readonly warmUpRequests: number;
}

/**
 * Each variant runs in `processes` processes, one after the other: two of the same may differ by a tenth as long as
 * they live.
 */
export interface RequestPlan extends Plan {
  readonly processes: number;
  /** On each of the processes. */
  readonly rounds: number;
}

/** The time between two checks of how warm a server is. */
const WARM_UP_STEP_MS = 250;

/** One operation on sessions of one size. */
export interface Case {
  readonly size: Size;
  readonly operation: Operation;
}

export const CASES: readonly Case[] = SIZES.flatMap((size) => OPERATIONS.map((operation) => ({ size, operation })));

/** By variant and case, one for each round; none if a variant can't hold sessions of that size, or can't do that. */
export type Samples = Map<Variant, Map<Case, Load[]>>;

interface Contender {
  readonly variant: Variant;
  readonly server: ServerProcess;
  readonly visitors: ReadonlyMap<Size, readonly Visitor[]>;
}

/**
 * Measures all variants one after the other, round by round, so that a busy minute of the machine hits all of them
 * alike.
 */
export async function measure(variants: readonly Variant[], folderOf: (variant: Variant) => string, plan: RequestPlan) {
  const samples: Samples = new Map(
    variants.map((variant) => [variant, new Map(CASES.map((one): [Case, Load[]] => [one, []]))]),
  );
  const cookieBytes = new Map<Variant, readonly number[]>();
  for (let number = 1; number <= plan.processes; number += 1) {
    console.log(`process ${number} of ${plan.processes}`);
    const contenders: Contender[] = [];
    for (const variant of variants) contenders.push(await enter(variant, folderOf(variant)));
    await measureContenders(contenders, samples, plan);
    for (const one of contenders) {
      cookieBytes.set(
        one.variant,
        SIZES.map((size) => cookieOf(one, size)),
      );
      await leave(one);
    }
  }
  return { samples, cookieBytes };
}

async function measureContenders(contenders: readonly Contender[], samples: Samples, plan: Plan): Promise<void> {
  await eachTurn(contenders, (server, visitors, { operation }, variant) =>
    warmUp(server, visitors, operation, plan, shareOf(variant)),
  );
  for (let round = 1; round <= plan.rounds; round += 1) {
    console.log(`round ${round} of ${plan.rounds}`);
    await eachTurn(contenders, async (server, visitors, one, variant) => {
      // A variant that has fewer turns has been idle for longer.
      await load(server, visitors, one.operation, plan.leadMs / shareOf(variant));
      const done = await load(server, visitors, one.operation, plan.measureMs);
      samples.get(variant)?.get(one)?.push(done);
    });
  }
}

async function enter(variant: Variant, folder: string): Promise<Contender> {
  const server = await ServerProcess.start(variant, folder);
  const visitors = new Map<Size, readonly Visitor[]>();
  for (const size of SIZES) if (holds(variant, size)) visitors.set(size, await signIn(server, size));
  return { variant, server, visitors };
}

async function leave({ server, visitors }: Contender): Promise<void> {
  for (const visitor of [...visitors.values()].flat()) visitor.leave();
  await server.stop();
}

async function eachTurn(
  contenders: readonly Contender[],
  turn: (server: ServerProcess, visitors: readonly Visitor[], one: Case, variant: Variant) => Promise<void>,
): Promise<void> {
  for (const one of CASES) {
    for (const { variant, server, visitors } of contenders) {
      const some = visitors.get(one.size);
      if (some !== undefined && can(variant, one)) await turn(server, some, one, variant);
    }
  }
}

/** The share of the cases that a variant can do. */
function shareOf(variant: Variant): number {
  return CASES.filter((one) => can(variant, one)).length / CASES.length;
}

function can(variant: Variant, { size, operation }: Case): boolean {
  return holds(variant, size) && does(variant, operation);
}

/**
 * Makes a server do this until its code is compiled. A server that can do only a `share` of what the others can is
 * warmed up for longer by that, so that all get as many requests.
 */
export async function warmUp(
  server: ServerProcess,
  visitors: readonly Visitor[],
  operation: Operation,
  { warmUpMs, warmUpRequests }: Plan,
  share: number,
): Promise<void> {
  const end = performance.now() + warmUpMs / share;
  for (let served = 0; served < warmUpRequests / share && performance.now() < end;) {
    served += (await load(server, visitors, operation, Math.min(WARM_UP_STEP_MS, warmUpMs))).requests;
  }
}

/** 0 if the variant can't hold such a session. */
function cookieOf(contender: Contender, size: Size): number {
  return contender.visitors.get(size)?.[0]?.cookieBytes ?? 0;
}
