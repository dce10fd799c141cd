import fc from "fast-check";
import { dictionary, RECORD_VERSION } from "../../../lib/record/session-record";
import type { SessionRecord } from "../../../lib/record/session-record";
import { FIELD, liveFields } from "../../../lib/stores/redis/record-fields";
import { readLive } from "../../../lib/stores/redis/record-reading";

const texts = fc.string({ unit: "binary" });
/** Zero has no sign in Redis. */
const numbers = fc.oneof(
  fc.nat(Number.MAX_SAFE_INTEGER),
  fc.double({ noNaN: true }).map((value) => value + 0),
);

/** A map as those of a record are. */
function mapOf<T>(values: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  return fc
    .array(fc.tuple(texts, values))
    .map((entries) => Object.assign(dictionary<T>(), Object.fromEntries(entries)));
}

const values = fc.oneof(texts, fc.uint8Array());

const records: fc.Arbitrary<SessionRecord> = fc.record({
  v: fc.constant(RECORD_VERSION),
  id: fc.constant("id"),
  ...{ owner: texts, project: texts, scope: texts, remoteAddress: texts, userAgent: texts },
  ...{ createdAt: numbers, lastSeenAt: numbers, idleMs: numbers },
  ...{ endsAt: numbers, expiresAt: numbers, purgeAt: numbers },
  data: mapOf(values),
  attributes: mapOf(
    fc.record({
      ...{ value: values, encrypted: fc.boolean() },
      ...{ createdAt: numbers, modifiedAt: numbers, expiresAt: numbers },
    }),
  ),
  keys: mapOf(fc.record({ payload: values, createdAt: numbers, expiresAt: numbers })),
  pages: mapOf(fc.record({ path: fc.string(), title: fc.string(), openedAt: fc.nat(), seenAt: fc.nat() })),
  counters: mapOf(numbers),
});

describe("Reading a record from Redis", () => {
  it("P9: gives what was written, whatever its numbers, texts and keys are", () => {
    fc.assert(fc.property(records, (record) => expect(readLive("id", reply(record))?.record).toEqual(record)));
  });

  it.each(["", "x", "17x", "1 7", "0x", "NaN"])("refuses %j for a number", (text) => {
    const fields = reply(fc.sample(records, 1)[0]);
    fields[fields.findIndex((field, at) => at % 2 === 0 && field.toString() === FIELD.createdAt) + 1] =
      Buffer.from(text);
    expect(() => readLive("id", fields)).toThrow(expect.objectContaining({ code: "SESSION_UNREADABLE" }));
  });
});

/** What `HGETALL` returns for a record. */
function reply(record: SessionRecord | undefined): Buffer[] {
  return record === undefined ? [] : liveFields(record).map((field) => Buffer.from(field));
}
