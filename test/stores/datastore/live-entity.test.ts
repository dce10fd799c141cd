import { google } from "@google-cloud/datastore/build/protos/protos";
import fc from "fast-check";
import { dictionary } from "../../../lib/record/session-record";
import type { SessionRecord } from "../../../lib/record/session-record";
import { readLookupResponse, StoredEntity } from "../../../lib/stores/datastore/wire/response-reader";
import { liveProperties, readLive } from "../../../lib/stores/datastore/entity/record-entity";
import type { Entity, Properties } from "../../../lib/stores/datastore/wire/messages";
import { sessionRecord } from "../../support/session-records";

const { Key, LookupResponse, Value } = google.datastore.v1;

/** The entity as it comes in a response: it is read from its bytes. */
function stored(id: string, properties: Properties): Entity {
  const key = { path: [{ kind: "session", name: id }] };
  const response = LookupResponse.fromObject({ found: [{ entity: { key, properties }, version: 1 }] });
  const [found] = readLookupResponse(Buffer.from(LookupResponse.encode(response).finish())).found;
  if (!(found?.entity instanceof StoredEntity)) throw new Error("The answer holds no entity.");
  return found.entity;
}

const name = fc.string({ unit: "binary", maxLength: 100 });
const instant = fc.oneof(fc.nat(), fc.constant(Infinity), fc.double({ min: 1, max: 1e15, noNaN: true }));
const encoded = fc.oneof(
  name,
  fc.uint8Array().map((bytes) => new Uint8Array(bytes)),
);
const map = <T>(item: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(name, item)).map((entries) => Object.assign(dictionary<T>(), Object.fromEntries(entries)));

const record: fc.Arbitrary<SessionRecord> = fc
  .record({
    ...{ owner: name, project: name, scope: name, remoteAddress: name, userAgent: name },
    ...{ createdAt: instant, lastSeenAt: instant, idleMs: instant, endsAt: instant, expiresAt: instant },
    purgeAt: fc.oneof(fc.nat(), fc.constant(Infinity)),
    data: map(encoded),
    attributes: map(
      fc.record({
        ...{ value: encoded, encrypted: fc.boolean() },
        ...{ createdAt: instant, modifiedAt: instant, expiresAt: instant },
      }),
    ),
    keys: map(fc.record({ payload: encoded, createdAt: instant, expiresAt: instant })),
    pages: map(fc.record({ path: name, title: name, openedAt: instant, seenAt: instant })),
    // Nobody counts to -0.
    counters: map(fc.double({ noNaN: true }).map((count) => count + 0)),
  })
  .map((some) => sessionRecord(some));

describe("A live record that is read from bytes", () => {
  it("P9: is the one that was written", () => {
    fc.assert(
      fc.property(record, (given) => {
        expect(readLive(stored(given.id, liveProperties(given)))).toEqual(given);
      }),
    );
  });

  it("is the same as read from the objects that Google's own library makes", () => {
    fc.assert(
      fc.property(record, (given) => {
        const properties = liveProperties(given);
        const key = { partitionId: { namespaceId: "", databaseId: "" }, path: [{ kind: "session", name: given.id }] };
        expect(readLive(stored(given.id, properties))).toEqual(readLive({ key, properties }));
      }),
    );
  });

  it("is the same in whatever order its fields come, and with others between them", () => {
    const given = sessionRecord({ data: { a: '"tea"', "": "1" }, counters: { n: -1 }, purgeAt: 1e12 });
    // A field of a later version, of each wire type: a varint, eight bytes, a text and four bytes.
    const unknown = [
      [0x80, 0x7d, 1],
      [0x81, 0x7d, ...Buffer.alloc(8)],
      [0x82, 0x7d, 1, 65],
      [0x85, 0x7d, 1, 2, 3, 4],
    ];
    const nothing = Key.create();
    const field = (number: number, bytes: Uint8Array) =>
      Key.encode(nothing)
        .uint32(8 * number + 2)
        .bytes(bytes)
        .finish();
    const entity = (properties: Properties, key: Uint8Array[] = []) => {
      const entries = Object.entries(properties).map(([property, { entityValue, ...rest }]) => {
        const inner = entityValue === undefined ? [] : [field(6, entity(entityValue.properties))];
        const value = Buffer.concat([
          Uint8Array.from(unknown[0]!),
          Value.encode(Value.fromObject(rest)).finish(),
          ...inner,
        ]);
        return field(
          3,
          Buffer.concat([field(2, value), Uint8Array.from(unknown[1]!), field(1, Buffer.from(property))]),
        );
      });
      return Buffer.concat([...entries.reverse(), ...unknown.map((bytes) => Uint8Array.from(bytes)), ...key]);
    };
    const key = field(1, Key.encode(Key.fromObject({ path: [{ kind: "session", name: given.id }] })).finish());
    const message = Buffer.concat([
      Uint8Array.from(unknown[2]!),
      field(1, field(1, entity(liveProperties(given), [key]))),
    ]);
    const [found] = readLookupResponse(message).found;
    expect(found && readLive(found.entity)).toEqual(given);
  });

  it("has maps that inherit nothing, also where they are empty", () => {
    const read = readLive(stored("a", liveProperties(sessionRecord({ data: { a: "1" } }))));
    for (const each of [read.data, read.attributes, read.keys, read.pages, read.counters]) {
      expect("__proto__" in each).toBe(false);
    }
  });

  it("does not keep the memory of the whole response for a few bytes of it", () => {
    const read = readLive(stored("a", liveProperties(sessionRecord({ data: { a: new Uint8Array([1, 2]) } }))));
    expect((read.data.a as Uint8Array).buffer.byteLength).toBe(2);
  });

  const whole = sessionRecord({ data: { a: '"tea"' }, counters: { n: 1 } });
  const names = Object.keys(liveProperties(whole)).filter((one) => !["sweep", "tally", "purgeAt"].includes(one));

  it.each(names)("can't be read without its %s", (missing) => {
    const properties = Object.entries(liveProperties(whole)).filter(([property]) => property !== missing);
    expect(() => readLive(stored(whole.id, Object.fromEntries(properties)))).toThrow(
      `its property ${missing} is missing`,
    );
  });

  it.each([...names, "purgeAt"])("can't be read where its %s is of another type", (wrong) => {
    const properties = { ...liveProperties(whole), [wrong]: { booleanValue: true } };
    expect(() => readLive(stored(whole.id, properties))).toThrow(
      expect.objectContaining({ code: "SESSION_UNREADABLE", message: expect.stringContaining(wrong) }),
    );
  });

  it.each<[string, Properties, string]>([
    ["a foreign name in its data", { foreign: { stringValue: "1" } }, "data.foreign"],
    ["a number as a value", { k_a: { integerValue: 1 } }, "k_a"],
    ["nothing as a value", { k_a: {} }, "k_a"],
  ])("can't be read with %s, and no value is told", (_, properties, told) => {
    const entity = stored(whole.id, { ...liveProperties(whole), data: { entityValue: { properties } } });
    expect(() => readLive(entity)).toThrow(`its property ${told} is missing`);
  });

  it("is told to be of a newer format, whatever else that may have changed", () => {
    const entity = stored(whole.id, { v: { integerValue: 2 }, data: { stringValue: "?" } });
    expect(() => readLive(entity)).toThrow(/in format 2/);
  });
});
