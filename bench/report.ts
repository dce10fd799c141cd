import { attributesReport } from "./attributes";
import type { AttributeSamples } from "./attributes-process";
import { connectionsReport } from "./connections";
import type { ConnectionSamples } from "./connections";
import { clearingReport } from "./clearing";
import type { ClearingResult } from "./clearing";
import { cpuReport } from "./cpu-report";
import { databaseGrowthReport } from "./database-growth";
import type { DatabaseGrowth } from "./database-growth";
import { growthReport } from "./growth";
import type { Growth } from "./growth";
import { loopDelayReport } from "./loop-delay";
import type { LoopDelay } from "./loop-delay";
import { rpcReport } from "./rpcs";
import type { RpcCount } from "./rpcs";
import type { RequestPlan, Samples } from "./rounds";
import type { Startup } from "./startup";
import { startupReport } from "./startup-report";
import type { Variant } from "./variants";

export interface Results {
  readonly machine: readonly string[];
  readonly plan: RequestPlan;
  readonly samples: Samples;
  /** Bytes of the Cookie header, for each of `SIZES`; 0 if a variant can't hold a session of that size. */
  readonly cookieBytes: ReadonlyMap<Variant, readonly number[]>;
  readonly connections: ConnectionSamples;
  readonly rpcs: readonly RpcCount[];
  readonly growth: Growth;
  readonly databaseGrowth: readonly DatabaseGrowth[];
  readonly attributes: AttributeSamples;
  readonly clearing: ClearingResult;
  readonly loopDelays: readonly LoopDelay[];
  readonly startups: readonly Startup[];
  readonly absent: readonly string[];
}

/** All that was measured, as Markdown. */
export function report(results: Results): string {
  return [
    "# What a session costs",
    "",
    ...results.machine.map((line) => `- ${line}`),
    ...results.absent.map((line) => `- ${line}`),
    "",
    ...cpuReport(results.samples, results.cookieBytes, results.plan),
    ...connectionsReport(results.connections),
    ...rpcReport(results.rpcs),
    ...growthReport(results.growth),
    ...databaseGrowthReport(results.databaseGrowth),
    ...attributesReport(results.attributes),
    ...clearingReport(results.clearing),
    ...loopDelayReport(results.loopDelays),
    ...startupReport(results.startups),
  ].join("\n");
}
