import { crc32 } from "node:zlib";
import fc from "fast-check";
import { dictionary } from "../../lib/record/dictionary";
import { endedRecord } from "../../lib/record/session-record";
import { endedFormat, liveFormat } from "../../lib/stores/lmdb-record";
import { killed, sessionRecord } from "../support/session-records";

const ID = "A".repeat(43);
const text = fc.string({ unit: "binary" });
const loneSurrogates = fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map((units) => String.fromCharCode(...units));
const encoded = fc.oneof(text, loneSurrogates, fc.uint8Array(), fc.string({ minLength: 200, maxLength: 3000 }));
const instant = fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.constant(Infinity));

/** A map without a prototype, whose keys may be anything. */
function mapOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> {
  const key = fc.oneof(fc.constantFrom("__proto__", "", "constructor"), text, loneSurrogates);
  return fc.array(fc.tuple(key, value), { maxLength: 6 }).map((entries) => {
    const map = dictionary<T>();
    for (const [name, each] of entries) map[name] = each;
    return map;
  });
}

const records = fc
  .record({
    owner: fc.oneof(text, loneSurrogates),
    project: text,
    scope: text,
    createdAt: instant,
    lastSeenAt: instant,
    idleMs: instant,
    endsAt: instant,
    expiresAt: instant,
    purgeAt: instant,
    remoteAddress: text,
    userAgent: text,
    data: mapOf(encoded),
    attributes: mapOf(
      fc.record({
        value: encoded,
        encrypted: fc.boolean(),
        createdAt: instant,
        modifiedAt: instant,
        expiresAt: instant,
      }),
    ),
    keys: mapOf(fc.record({ payload: encoded, createdAt: instant, expiresAt: instant })),
    pages: mapOf(fc.record({ path: text, openedAt: instant, seenAt: instant })),
    counters: mapOf(instant),
  })
  .map((fields) => sessionRecord({ ...fields, id: ID }));

it("P9: gives back every record as it was", () => {
  fc.assert(
    fc.property(records, (record) => {
      expect(liveFormat.unpack(ID, liveFormat.pack(record, 7))).toEqual({ record, version: 7 });
      const { data } = liveFormat.unpack(ID, liveFormat.pack(record, 7)).record;
      for (const inherited of ["__proto__", "constructor"])
        expect(inherited in data).toBe(Object.hasOwn(data, inherited));
    }),
  );
});

it("gives back every ended record as it was", () => {
  fc.assert(
    fc.property(records, fc.option(text), (record, endedBy) => {
      const ended = endedRecord(record, { ...killed(), endedBy });
      expect(endedFormat.unpack(ID, endedFormat.pack(ended, 7))).toEqual({ record: ended, version: 7 });
    }),
  );
});

it("gives back records of any size that were packed one after the other, and after one that could not be", () => {
  const sizes = [1, 40_000, 255, 256, 300_000, 16_000, 0, 20_000];
  const all = sizes.map((size) =>
    sessionRecord({
      id: ID,
      data: { long: "l".repeat(size), short: "s", wide: "🍵".repeat(size / 10), bytes: new Uint8Array(size).fill(7) },
      counters: Object.fromEntries(Array.from({ length: size / 100 }, (_, n) => [`counter ${n}`, n])),
    }),
  );
  const packed = all.map((record, n) => {
    const broken = { ...record, pages: { "/": undefined } } as unknown as typeof record;
    expect(() => liveFormat.pack(broken, n)).toThrow(TypeError);
    return liveFormat.pack(record, n);
  });
  const again = all.map((record, n) => liveFormat.pack(record, n));
  expect(again).toEqual(packed);
  expect(packed[6]!.length).toBeLessThan(400);
  for (const [n, record] of all.entries()) {
    expect(liveFormat.unpack(ID, packed[n]!)).toEqual({ record, version: n });
  }
});

const sample = sessionRecord({ data: { text: '"é 🍵"', bytes: Uint8Array.of(1, 2, 3) } });

it("P9: says of a record with any one byte changed that it is unreadable", () => {
  const packed = liveFormat.pack(sample, 1);
  for (let at = 0; at < packed.length; at += 1) {
    const damaged = Buffer.from(packed);
    damaged[at]! ^= 1 + (at % 255);
    expect(() => liveFormat.unpack(ID, damaged)).toThrow(expect.objectContaining({ code: "SESSION_UNREADABLE" }));
  }
});

it("P9: says of a record that was cut off, or followed by more, that it is unreadable", () => {
  const packed = liveFormat.pack(sample, 1);
  for (let length = 0; length < packed.length; length += 1) {
    expect(() => liveFormat.unpack(ID, packed.subarray(0, length))).toThrow(/is damaged/);
  }
  expect(() => liveFormat.unpack(ID, Buffer.concat([packed, Buffer.of(0)]))).toThrow(/is damaged/);
});

it("does not take an ended record for a live one", () => {
  const ended = endedFormat.pack(endedRecord(sample, killed()), 1);
  expect(() => liveFormat.unpack(ID, ended)).toThrow(/is damaged/);
});

it("says of a newer format which one it is, which ones it reads, and what to do", () => {
  const newer = ofFormat(2, liveFormat.pack(sample, 1));
  expect(() => liveFormat.unpack(ID, newer)).toThrow(
    `The session ${ID} is stored in format 2, and this version of coatcheck reads 1; upgrade coatcheck.`,
  );
});

function ofFormat(format: number, packed: Buffer): Buffer {
  const changed = Buffer.from(packed);
  changed[0] = format;
  changed.writeUInt32LE(crc32(changed.subarray(0, -4)), changed.length - 4);
  return changed;
}

it("answers memory of its own", () => {
  const packed = liveFormat.pack(sample, 1);
  const { record } = liveFormat.unpack(ID, packed);
  packed.fill(0xff);
  expect(record).toEqual({ ...sample, id: ID });
});
