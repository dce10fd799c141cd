import { randomBytes } from "node:crypto";
import fc from "fast-check";
import type { SessionAttributes } from "../../../lib";
import { describeOnEveryStore } from "../../support/every-store";
import { signal } from "../../support/gate";
import { fingerprint } from "../../support/storable-values";
import { startVisits } from "../../support/visits";
import type { Visitor, Visits } from "../../support/visits";
import { howMany } from "../../support/how-many";

/** What is known of an attribute in the model: nothing but what an app can see. */
interface Kept {
  readonly value: string;
  readonly expiresAt: number;
  readonly encrypted: boolean;
}

type Model = ReadonlyMap<string, Kept>;

/** One call, with what it does to the model. */
interface Call {
  readonly kind: "create" | "set" | "update" | "delete" | "setExpiry";
  readonly names: readonly string[];
  readonly value: string;
  readonly expiresIn: number | undefined;
  readonly encrypt: boolean | undefined;
}

const NAMES = ["a", "b", "__proto__", "constructor", "é.🍵"];
const VALUES: Readonly<Record<string, () => unknown>> = {
  text: () => "black",
  deep: () => ({ list: [1, { two: 2 }] }),
  map: () => new Map([["k", new Date(5)]]),
  nothing: () => undefined,
};

const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom("create", "set", "update", "delete", "setExpiry"),
  names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }),
  value: fc.constantFrom(...Object.keys(VALUES)),
  expiresIn: fc.constantFrom(undefined, 1, 1000, 60_000, Infinity),
  encrypt: fc.constantFrom(undefined, true, false),
});

/** Calls that run at the same time, after the clock has gone on. */
const step = fc.record({
  passes: fc.constantFrom(0, 1, 999, 1000, 59_000),
  calls: fc.array(call, { minLength: 1, maxLength: 3 }),
});

/** Makes the call, and tells what an app is told. */
async function made(attributes: SessionAttributes, { kind, names, value, expiresIn, encrypt }: Call): Promise<string> {
  const items = names.map((name) => ({ name, value: VALUES[value]?.() }));
  const options = { expiresIn, encrypt };
  try {
    if (kind === "create") await attributes.createMany(items, options);
    else if (kind === "set") await attributes.setMany(items, options);
    else if (kind === "update") await attributes.updateMany(items, options);
    else if (kind === "delete") return String(await attributes.deleteMany(names));
    else await attributes.setExpiryMany(names, expiresIn ?? Infinity);
    return "done";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** The same in the model. */
function modelled(model: Model, now: number, call: Call): { answer: string; after: Model } {
  const there = new Map([...model].filter(([, kept]) => now < kept.expiresAt));
  const known = call.names.filter((name) => there.has(name));
  if (call.kind === "delete") {
    for (const name of known) there.delete(name);
    return { answer: String(known.length), after: there };
  }
  if (call.kind === "create" && known.length > 0) return { answer: "ATTRIBUTE_EXISTS", after: there };
  if (["update", "setExpiry"].includes(call.kind) && known.length < call.names.length) {
    return { answer: "ATTRIBUTE_NOT_FOUND", after: there };
  }
  const { expiresIn = call.kind === "setExpiry" ? Infinity : undefined } = call;
  for (const name of call.names) {
    const before = there.get(name) ?? { value: "", expiresAt: Infinity, encrypted: false };
    there.set(name, {
      value: call.kind === "setExpiry" ? before.value : fingerprint(VALUES[call.value]?.()),
      expiresAt: expiresIn === undefined ? before.expiresAt : now + expiresIn,
      encrypted: call.kind === "setExpiry" ? before.encrypted : (call.encrypt ?? before.encrypted),
    });
  }
  return { answer: "done", after: there };
}

/** Where each one who comes waits for all the others. */
function meetingOf(size: number): () => Promise<void> {
  const { given, give } = signal();
  let missing = size;
  return () => {
    missing -= 1;
    if (missing === 0) give();
    return given;
  };
}

/** All orders in which calls can have happened. */
function orders(indices: readonly number[]): number[][] {
  if (indices.length <= 1) return [[...indices]];
  return indices.flatMap((first) => orders(indices.filter((n) => n !== first)).map((rest) => [first, ...rest]));
}

/** What these calls, made in this order, would answer and leave. */
function inOrder(model: Model, now: number, calls: readonly Call[], order: readonly number[]) {
  const answers: string[] = [];
  let after = model;
  for (const n of order) {
    const one = modelled(after, now, calls[n]!);
    answers[n] = one.answer;
    after = one.after;
  }
  return { answers, left: [...after].filter(([, kept]) => now < kept.expiresAt).sort(byName), after };
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

/** All that an app can see in its next request. */
async function seen(visitor: Visitor): Promise<(readonly [string, Kept])[]> {
  return visitor.run(async ({ attributes }) => {
    const infos = await Promise.all((await attributes.names()).map((name) => attributes.getInfo(name)));
    const kept = infos.map((info) => {
      if (info === undefined) throw new Error("what is listed is not there");
      const { name, value, expiresAt, encrypted } = info;
      return [name, { value: fingerprint(value), expiresAt: expiresAt?.getTime() ?? Infinity, encrypted }] as const;
    });
    return kept.sort(byName);
  });
}

describeOnEveryStore("attributes beside a simple model", (every) => {
  let visits: Visits;
  let clock = Date.now();

  beforeAll(async () => {
    const now = () => clock;
    const secrets = [randomBytes(32).toString("hex")];
    visits = await startVisits({ store: await every.open({ now }), now, secrets, touchInterval: "1m" });
  });

  afterAll(() => visits.close());

  it("P3: calls of parallel requests return and leave what they would one after the other, in some order", async () => {
    const scenario = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const visitor = visits.visitor();
      await visitor.run((session) => void session.set("tea", "black"));
      let model: Model = new Map();
      for (const { passes, calls } of steps) {
        clock += passes;
        // All have loaded the session before one of them calls.
        const together = meetingOf(calls.length);
        const answers = await Promise.all(
          calls.map((one) => visitor.run(({ attributes }) => together().then(() => made(attributes, one)))),
        );
        const left = await seen(visitor);
        const possible = orders([...calls.keys()]).map((order) => inOrder(model, clock, calls, order));
        const found = possible.find((one) => fingerprint([one.answers, one.left]) === fingerprint([answers, left]));
        expect(found === undefined ? { answers, left, possible } : "as in some order").toBe("as in some order");
        model = found?.after ?? model;
      }
    });
    await fc.assert(scenario, { numRuns: every.name === "DatastoreStore" ? howMany(8, 15) : howMany(60, 100) });
  });
});
