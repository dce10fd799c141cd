import { google } from "@google-cloud/datastore/build/protos/protos";
import fc from "fast-check";
import { readCommitResponse, readLookupResponse } from "../../../lib/stores/datastore/wire/response-reader";
import { idOfEntity } from "../../../lib/stores/datastore/entity/record-entity";
import type { EntityResult, LookupResponse, Value } from "../../../lib/stores/datastore/wire/messages";

/** Google's own description of the messages writes what ours has to read. */
const { CommitResponse, LookupResponse } = google.datastore.v1;

function written(response: object): Buffer {
  return Buffer.from(LookupResponse.encode(LookupResponse.fromObject(response as Record<string, unknown>)).finish());
}

const text = fc.string({ unit: "binary" });
const int64 = fc
  .oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(
      0n,
      -1n,
      2n ** 53n - 1n,
      2n ** 53n,
      -(2n ** 53n),
      2n ** 49n,
      2n ** 56n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ),
    fc.maxSafeInteger().map(BigInt),
  )
  .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()));

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.record({ stringValue: text }),
    fc.record({ integerValue: int64 }),
    fc.record({ doubleValue: fc.double() }),
    fc.record({ booleanValue: fc.boolean() }),
    fc.record({ blobValue: fc.uint8Array().map((bytes) => Buffer.from(bytes)) }),
    fc.record({ timestampValue: fc.record({ seconds: int64, nanos: fc.nat(999_999_999) }) }),
    fc.constant({ valueType: "nullValue", nullValue: "NULL_VALUE" as const }),
    fc.dictionary(text, tie("value")).map((properties) => ({
      entityValue: {
        key: { partitionId: { namespaceId: "", databaseId: "" }, path: [] },
        properties: { ...properties },
      },
    })),
  ),
}));

const key = fc.record({
  partitionId: fc.record({ namespaceId: text, databaseId: text }),
  path: fc.array(fc.record({ kind: text, name: text }), { minLength: 1, maxLength: 2 }),
});

const result: fc.Arbitrary<EntityResult> = fc.record({
  entity: fc.record({ key, properties: fc.dictionary(text, value).map((properties) => ({ ...properties })) }),
  version: int64,
});

/** The whole of a response, whose entities are otherwise read only when they are used. */
function whole({ found, missing, deferred }: LookupResponse): LookupResponse {
  const read = ({ entity: { key, properties }, version }: EntityResult) => ({ entity: { key, properties }, version });
  return { found: found.map(read), missing: missing.map(read), deferred };
}

describe("readLookupResponse", () => {
  it("reads what Google's own library writes", () => {
    const response = fc.record({ found: fc.array(result), missing: fc.array(result), deferred: fc.array(key) });
    fc.assert(fc.property(response, (given) => expect(whole(readLookupResponse(written(given)))).toEqual(given)));
  });

  it("has a property of any name as a property, and inherits nothing from what is stored", () => {
    const properties = Object.fromEntries([
      ["__proto__", { entityValue: { properties: { leaked: { stringValue: "" } } } }],
    ]);
    const [found] = readLookupResponse(written({ found: [{ entity: { properties } }] })).found;
    expect(Object.keys(found!.entity.properties)).toEqual(["__proto__"]);
    expect("entityValue" in found!.entity.properties).toBe(false);
  });

  it("knows the id of an entity, the last name in its key, without reading the rest", () => {
    fc.assert(
      fc.property(result, (given) => {
        const [found] = readLookupResponse(written({ found: [given] })).found;
        expect(found && idOfEntity(found.entity)).toBe(given.entity.key.path.at(-1)?.name);
      }),
    );
  });

  it("passes over what the store does not ask for", () => {
    const entity = (properties: object) => ({ key: { path: [{ kind: "session", name: "a" }] }, properties });
    const odd = {
      list: { arrayValue: { values: [{ stringValue: "x" }, { integerValue: 1 }] } },
      place: { geoPointValue: { latitude: 1, longitude: 2 } },
      other: { keyValue: { path: [{ kind: "k", id: 7 }] } },
      none: {},
    };
    const kept = { stringValue: "kept" };
    const message = written({
      found: [
        {
          entity: entity({ ...odd, kept: { ...kept, meaning: 15, excludeFromIndexes: true } }),
          version: 5,
          cursor: Buffer.from("cursor"),
          createTime: { seconds: 1, nanos: 2 },
          updateTime: { seconds: 3, nanos: 4 },
        },
      ],
      transaction: Buffer.from("transaction"),
      readTime: { seconds: 5, nanos: 6 },
    });
    expect(whole(readLookupResponse(message))).toMatchObject({
      found: [{ entity: entity({ list: {}, place: {}, other: {}, none: {}, kept }), version: 5 }],
      missing: [],
      deferred: [],
    });
  });

  it("refuses a message that is cut short, wherever it is", () => {
    const properties = {
      text: { stringValue: "text" },
      number: { doubleValue: 1.5 },
      bytes: { blobValue: Buffer.alloc(4) },
    };
    const message = written({
      found: [{ entity: { key: { path: [{ kind: "k", name: "n" }] }, properties }, version: 9 }],
    });
    for (let length = 1; length < message.length; length += 1) {
      expect(() => readLookupResponse(message.subarray(0, length))).toThrow("ends too early");
    }
  });

  it("finds nothing in an empty message", () => {
    expect(readLookupResponse(Buffer.alloc(0))).toEqual({ found: [], missing: [], deferred: [] });
  });
});

describe("readCommitResponse", () => {
  const read = (response: object) =>
    readCommitResponse(Buffer.from(CommitResponse.encode(CommitResponse.fromObject({ ...response })).finish()));

  it("tells which mutations were in conflict", () => {
    const given = {
      mutationResults: [
        { version: 5, key: { path: [{ kind: "session", name: "a" }] }, updateTime: { seconds: 1 } },
        { version: 6, conflictDetected: true, transformResults: [{ integerValue: 7 }] },
        { version: 7, conflictDetected: false },
      ],
      indexUpdates: 12,
      commitTime: { seconds: 2, nanos: 3 },
    };
    expect(read(given)).toEqual({
      mutationResults: [{ conflictDetected: false }, { conflictDetected: true }, { conflictDetected: false }],
    });
    expect(read({})).toEqual({ mutationResults: [] });
  });
});
