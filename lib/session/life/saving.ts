import { types } from "node:util";
import { SessionError } from "../../errors";
import { dictionary } from "../../record/session-record";
import { touchAt } from "../../record/expiry";
import { applyDelta } from "../../record/session-delta";
import type { SessionDelta } from "../../record/session-delta";
import type { Encoded, SessionRecord } from "../../record/session-record";
import { quoted } from "../../record/shown-text";
import { encodeValue } from "../../record/value/value-encoding";
import { decodedValue } from "../values/change-detection";
import { assertKey } from "../values/session-values";
import type { ValuesDelta } from "../values/session-values";
import type { SessionLife } from "./session-life";
import { assertChangeFits, assertRecordFits } from "../../record/record-size";
import { endPredecessor, loggedIn, succeed } from "./starting-over";

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Stores what has changed; undefined where nothing has. Values are encoded once. */
export function saveNow(life: SessionLife): Promise<void> | undefined {
  const { over, marked, record, predecessor } = life;
  // Whether or not the app caught the error: a response never succeeds without what it was to store.
  if (over?.status === 503) throw over;
  const delta = life.values.delta();
  if (delta === undefined && !marked && predecessor === undefined) return undefined;
  if (over !== undefined) throw over;
  if (record !== undefined) return write(life, record, delta);
  return delta === undefined && !marked ? endPredecessor(life) : create(life, delta);
}

/** Changes one key atomically, and resolves to its new value. `change` is given the stored value, and may run again. */
export async function updateKey(life: SessionLife, key: string, change: (value: unknown) => unknown): Promise<unknown> {
  assertUpdate(key, change);
  life.assertWritable();
  const { record, values, over } = life;
  if (record === undefined) {
    values.set(key, resultOf(key, change, values.get(key)));
    return values.get(key);
  }
  if (over !== undefined) throw over;
  // What this request has set itself is the later save; otherwise the stored value counts.
  const own = values.isChanged(key) ? { encoded: values.encoded(key) } : undefined;
  const since = values.changes;
  let encoded: Encoded = "";
  const after = await life.stored(
    life.policy.writer.mutate(record.id, (current) => {
      const before = own === undefined ? current.data[key] : own.encoded;
      encoded = encodeValue(key, resultOf(key, change, before === undefined ? undefined : decodedValue(key, before)));
      return life.merged(current, { data: { set: Object.assign(dictionary<Encoded>(), { [key]: encoded }) } });
    }),
  );
  if (after === undefined) throw life.ended();
  values.adopt(key, encoded, since);
  await goOn(life, record, after);
  return values.get(key);
}

/** Refuses what `update` can't work with: `SESSION_ARGUMENT`. */
function assertUpdate(key: string, change: unknown): void {
  assertKey(key);
  if (typeof change === "function") return;
  throw new SessionError("SESSION_ARGUMENT", `update(${quoted(key)}, …) takes a function as its second argument.`);
}

/** What the callback of `update` returned. Nothing, or a promise, is refused: it was hardly meant to be stored. */
function resultOf(key: string, change: (value: unknown) => unknown, before: unknown): unknown {
  const after = change(before);
  if (after !== undefined && !types.isPromise(after)) return after;
  const what = after === undefined ? "undefined" : "a promise";
  throw new SessionError(
    "SESSION_ARGUMENT",
    `update(${quoted(key)}, …): the function returned ${what}; return the new value itself.`,
  );
}

/** Changes what the record holds beside the data, atomically. An absent session is created with the change. */
export async function changeRecord(
  life: SessionLife,
  decide: (record: SessionRecord) => SessionDelta | undefined,
): Promise<SessionRecord> {
  const { over, record } = life;
  if (over !== undefined) throw over;
  if (record === undefined) return createWith(life, decide);
  const after = await life.stored(
    life.policy.writer.mutate(record.id, (current) => {
      const change = decide(current);
      return change === undefined ? undefined : life.merged(current, change);
    }),
  );
  if (after === undefined) throw life.ended();
  await goOn(life, record, after);
  return after;
}

/** Chained by hand: each `await` less on this path is a promise less per request. */
function write(life: SessionLife, record: SessionRecord, delta: ValuesDelta | undefined): Promise<void> {
  const { writer, now, keepEndedMs } = life.policy;
  const change: Mutable<SessionDelta> = life.marked ? touchAt(record, now(), keepEndedMs) : {};
  if (delta !== undefined) change.data = delta;
  assertChangeFits(record, life.values.stored, change, life.policy);
  life.marked = false;
  if (life.owner !== record.owner) return writeWithOwner(life, record, change, delta);
  Object.assign(change, life.takeAlong(record));
  return life.stored(writer.write(record, change), (isLive) => {
    if (!isLive) throw life.ended();
    if (change.expiresAt !== undefined) life.goOn(applyDelta(record, change));
    if (delta !== undefined) life.values.written(delta);
  });
}

async function writeWithOwner(
  life: SessionLife,
  record: SessionRecord,
  change: SessionDelta,
  delta: ValuesDelta | undefined,
): Promise<void> {
  const { writer } = life.policy;
  const after = await life.stored(writer.mutate(record.id, (current) => life.merged(current, change)));
  if (after === undefined) throw life.ended();
  if (delta !== undefined) life.values.written(delta);
  await goOn(life, record, after);
}

/** The record was changed in the store; where that changed its owner too, it was a login. */
async function goOn(life: SessionLife, record: SessionRecord, after: SessionRecord): Promise<void> {
  life.goOn(after);
  if (life.policy.afterLogin !== undefined && after.owner !== record.owner) await loggedIn(life, after, "before");
}

async function create(life: SessionLife, delta: ValuesDelta | undefined): Promise<void> {
  const { owner } = life;
  if (!(await life.mayCreate(owner))) return;
  // Here, and not before: the headers may have gone meanwhile.
  life.assertHeadersOpen();
  await store(life, life.counted(life.newRecord(owner, delta?.set ?? dictionary(), false)), delta);
}

/** Creates the session with something in it beside its data. Where there is nothing to change, nothing is created. */
async function createWith(
  life: SessionLife,
  decide: (record: SessionRecord) => SessionDelta | undefined,
): Promise<SessionRecord> {
  const { owner } = life;
  const delta = life.values.delta();
  const empty = life.newRecord(owner, delta?.set ?? dictionary(), false);
  const change = decide(empty);
  if (change === undefined) return empty;
  life.assertMayStart();
  // Data may be left unsaved, but not this: the app is promised that it is stored.
  if (!(await life.mayCreate(owner))) throw life.ended();
  life.assertHeadersOpen();
  const record = applyDelta(life.counted(empty), change);
  await store(life, record, delta);
  return record;
}

async function store(life: SessionLife, record: SessionRecord, delta: ValuesDelta | undefined): Promise<void> {
  const { policy, predecessor } = life;
  assertRecordFits(record, policy.maxBytes);
  if (predecessor === undefined) await life.stored(policy.writer.create(record));
  else await succeed(life, predecessor, record);
  life.begin(record, false);
  if (delta !== undefined) life.values.written(delta);
  if (policy.afterLogin !== undefined) await loggedIn(life, record, "now");
}
