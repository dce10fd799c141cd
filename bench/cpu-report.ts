import { CONNECTIONS, OPERATIONS } from "./load";
import type { Operation } from "./load";
import { CASES } from "./rounds";
import type { Case, RequestPlan, Samples } from "./rounds";
import { CONTENT, SIZES } from "./session-data";
import type { Size } from "./session-data";
import { median } from "./statistics";
import { partOf, spread, table } from "./tables";
import { BETTER_AUTH } from "./better-auth-variant";
import { CONNECT_PG_UNTOUCHED, CONNECT_REDIS_UNTOUCHED, POSTGRES, REDIS } from "./database-variants";
import { BARE, BETTER_SQLITE, CONNECT_DATASTORE, DATASTORE, EMBEDDED, REFERENCE, SHAPES } from "./variants";
import type { Variant } from "./variants";

type Targets = Partial<Record<Size, Partial<Record<Operation, number>>>>;

/** `ours` should cost at most 1/n of `theirs`; `targets` gives n. */
const COMPARISONS: readonly { readonly ours: string; readonly theirs: string; readonly targets: Targets }[] = [
  {
    ours: EMBEDDED,
    theirs: REFERENCE,
    targets: { "200 B": { untouched: 6, read: 6, write: 2 }, "4 KB": { untouched: 20, read: 20, write: 8 } },
  },
  {
    ours: EMBEDDED,
    theirs: BETTER_SQLITE,
    targets: { "200 B": { write: 5 }, "4 KB": { write: 5 } },
  },
  {
    ours: REDIS,
    theirs: CONNECT_REDIS_UNTOUCHED,
    targets: { "200 B": { read: 3, write: 2 }, "4 KB": { read: 3, write: 2 } },
  },
  {
    ours: POSTGRES,
    theirs: CONNECT_PG_UNTOUCHED,
    targets: { "200 B": { read: 4, write: 4 }, "4 KB": { read: 4, write: 4 } },
  },
  {
    ours: DATASTORE,
    theirs: CONNECT_DATASTORE,
    targets: { "200 B": { read: 10, write: 10 }, "4 KB": { read: 10, write: 10 } },
  },
];

export function cpuReport(
  samples: Samples,
  cookieBytes: ReadonlyMap<Variant, readonly number[]>,
  plan: RequestPlan,
): string[] {
  return [
    "## CPU time of a request",
    "",
    "CPU time of the server, user and system, all threads: what the sessions add to a request of the same app without them, in",
    `microseconds. The row of ${BARE} is its whole time. What the process of a database takes is not counted.`,
    "",
    `Medians of ${plan.processes * plan.rounds} interleaved rounds (${plan.rounds} on each of ${plan.processes} processes of every variant, one after the other) of ${plan.measureMs} ms`,
    `with ${CONNECTIONS} connections, each after ${plan.leadMs} ms of the same. Before that each server is warmed up by ${plan.warmUpRequests} requests of each kind, or for`,
    `${plan.warmUpMs / 1000} s where those come first. Both are longer for a variant that can do only some of the kinds: it is idle for longer.`,
    "*deep* changes one field inside a value that the session has under one of its keys.",
    "",
    "Each variant is set up as its documentation recommends for production. Ours signs no cookie, since its option `secrets` is optional; the",
    `others sign or encrypt theirs, which they require. "${SHAPES}" is the same app with nothing but the middleware`,
    "of coatcheck/express-shapes: less than nothing is added where that makes Express itself cheaper. No other variant has it.",
    "",
    ...betterAuthNote(samples),
    ...SIZES.flatMap((size) => addedTable(samples, size)),
    ...COMPARISONS.flatMap((one) => comparison(samples, one)),
    ...cookieTable(cookieBytes),
  ];
}

/**
 * What the sessions of a variant add to a request, in microseconds, by round; empty if it can't hold such a session or
 * can't do that.
 */
export function added(samples: Samples, name: string, one: Case): number[] {
  const bare = cpuOf(samples, BARE, one);
  return cpuOf(samples, name, one).map((cpu, round) => cpu - (bare[round] ?? NaN));
}

function betterAuthNote(samples: Samples): string[] {
  const peer = [...samples.keys()].find(({ name }) => name === BETTER_AUTH)?.installs;
  if (peer === undefined) return [];
  return [
    `${peer.name} (${peer.version}) looks a session up by \`auth.api.getSession\`, here with its cookie cache off, since a session that was ended`,
    "would stay open for as long as that keeps it. It loads the session and its user, 550 B as JSON. Its cells of writes are empty:",
    "its session has none of an app's data but columns that are declared beforehand, so no write of it does what the others do.",
    "",
  ];
}

function addedTable(samples: Samples, size: Size): string[] {
  const cases = CASES.filter((one) => one.size === size);
  const rows = [...samples.keys()].map(({ name }) => {
    const cells = cases.map((one) => (name === BARE ? cpuOf(samples, BARE, one) : added(samples, name, one)));
    return [name, ...cells.map((cell) => (cell.length === 0 ? "–" : median(cell).toFixed(1)))];
  });
  return [...table([size, ...OPERATIONS], rows), ""];
}

function comparison(samples: Samples, { ours, theirs, targets }: (typeof COMPARISONS)[number]): string[] {
  const names = [...samples.keys()].map(({ name }) => name);
  if (!names.includes(ours) || !names.includes(theirs)) return [];
  const rows = SIZES.map((size) => [
    size,
    ...OPERATIONS.map((operation) => {
      const one = CASES.find((each) => each.size === size && each.operation === operation);
      if (one === undefined) return "–";
      const whole = added(samples, theirs, one);
      const ratios = added(samples, ours, one).map((part, round) => part / (whole[round] ?? NaN));
      const target = targets[size]?.[operation];
      return `${spread(ratios)}${target === undefined ? "" : `, to reach ≤ ${partOf(1 / target)}`}`;
    }),
  ]);
  return [
    `${ours}, as a part of ${theirs}: median over the rounds (quartiles).`,
    "",
    ...table(["", ...OPERATIONS], rows),
    "",
  ];
}

function cookieTable(cookieBytes: ReadonlyMap<Variant, readonly number[]>): string[] {
  const data = SIZES.map((size) => `${JSON.stringify(CONTENT[size]).length} B`);
  const cookies = [...cookieBytes].filter(([variant]) => variant.withoutSessions !== true);
  return [
    ...table(
      ["", ...SIZES],
      [
        ["the session as one JSON text", ...data],
        ...cookies.map(([variant, bytes]) => [`Cookie header, ${variant.name}`, ...bytes.map(cookieNote)]),
      ],
    ),
    "",
  ];
}

/** Browsers keep cookies of up to 4,096 bytes, name and attributes included. (RFC 6265bis §5.6) */
function cookieNote(bytes: number): string {
  if (bytes === 0) return "can't hold it";
  return bytes > 4096 ? `${bytes} B, more than browsers keep` : `${bytes} B`;
}

function cpuOf(samples: Samples, name: string, one: Case): readonly number[] {
  const variant = [...samples.keys()].find((each) => each.name === name);
  return (
    (variant &&
      samples
        .get(variant)
        ?.get(one)
        ?.map(({ cpuUs }) => cpuUs)) ??
    []
  );
}
