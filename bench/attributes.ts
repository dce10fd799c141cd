import type { AttributeSamples } from "./attributes-process";
import { runChild } from "./child";
import { median, quantile } from "./statistics";
import { table } from "./tables";

/** How much more a request may cost with an encrypted attribute than with a plain one, in microseconds. */
const TARGET = 15;

/** What one attribute adds to a request, plain and encrypted. */
export async function measureAttributes(rounds: number): Promise<AttributeSamples> {
  return JSON.parse(await runChild("attributes-process.ts", rounds)) as AttributeSamples;
}

export function attributesReport(samples: AttributeSamples): string[] {
  const { none = [] } = samples;
  const rows = ["get", "set"].map((call) => {
    const [plain = [], encrypted = []] = [samples[`${call} plain`], samples[`${call} encrypted`]];
    return [call, spread(plain, none), spread(encrypted, none), spread(encrypted, plain)];
  });
  return [
    "## Attributes",
    "",
    "CPU time that using one attribute adds to a request, in microseconds: without a network, in memory, with a session of",
    "200 B. Each request loads the session anew, so an encrypted attribute pays for deriving its session's crypto key, too.",
    "Medians over the rounds (quartiles).",
    "",
    ...table(["", "plain", "encrypted", `encryption alone, to reach ≤ ${TARGET}`], rows),
    "",
  ];
}

/** How much more the first took than the second, round by round. */
function spread(these: readonly number[], those: readonly number[]): string {
  const more = these.map((one, round) => one - (those[round] ?? NaN));
  const [low, middle, high] = [quantile(more, 0.25), median(more), quantile(more, 0.75)].map((one) => one.toFixed(1));
  return `${middle} (${low} – ${high})`;
}
