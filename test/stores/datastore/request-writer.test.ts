import { google } from "@google-cloud/datastore/build/protos/protos";
import fc from "fast-check";
import { createRequire } from "node:module";
import { COMMIT_MODE, CONFLICT_FAIL } from "../../../lib/stores/datastore/wire/messages";
import { requestWriter } from "../../../lib/stores/datastore/wire/request-writer";
import type { Protobuf } from "../../../lib/stores/datastore/wire/request-writer";
import type { Mutation, Value } from "../../../lib/stores/datastore/wire/messages";

/** Google's own description of the messages reads what ours writes. */
const { CommitRequest, LookupRequest } = google.datastore.v1;

/** What the store finds in the client that is installed: an update of the client that takes it away fails here. */
const { protobuf } = createRequire(require.resolve("@google-cloud/datastore"))("google-gax") as { protobuf: Protobuf };
const write = requestWriter(protobuf);

const text = fc.string({ unit: "binary" });
const longText = fc.oneof(
  text,
  fc.string({ unit: "binary", minLength: 100, maxLength: 300 }),
  fc.constant("é".repeat(9_000)),
);
const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 127, 128, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
);

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc
    .tuple(
      fc.oneof(
        { depthSize: "small" },
        fc.record({ stringValue: longText }),
        fc.record({ integerValue: int64 }),
        fc.record({ doubleValue: fc.double() }),
        fc.record({ booleanValue: fc.boolean() }),
        fc.record({ blobValue: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) }),
        fc.record({ timestampValue: fc.record({ seconds: fc.nat(), nanos: fc.nat(999_999_999) }) }),
        fc.constant({ nullValue: 0 as const }),
        fc.dictionary(text, tie("value")).map((properties) => ({ entityValue: { properties: { ...properties } } })),
      ),
      fc.boolean(),
    )
    .map(([one, unindexed]) => (unindexed ? { ...one, excludeFromIndexes: true } : one)),
}));

const key = fc.record({
  partitionId: fc.record({ namespaceId: text, databaseId: text }),
  path: fc.array(fc.record({ kind: text, name: longText }), { minLength: 1, maxLength: 2 }),
});
const entity = fc.record({ key, properties: fc.dictionary(text, value).map((properties) => ({ ...properties })) });
const mask = fc.record({ paths: fc.array(text) });
const transform = fc.record({ property: text, increment: value });

const mutation: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.oneof(
      fc.record({ insert: entity }),
      fc.record({ update: entity }),
      fc.record({ upsert: entity }),
      fc.record({ delete: key }),
    ),
    fc.record(
      {
        propertyMask: mask,
        propertyTransforms: fc.array(transform),
        baseVersion: int64,
        conflictResolutionStrategy: fc.constant(CONFLICT_FAIL),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([operation, rest]) => ({ ...operation, ...rest }));

/** Without what is the default, so that what was left out and what was written as empty are alike. */
const asObject = { longs: String, enums: String, defaults: true } as const;

describe("A lookup", () => {
  it("writes what Google's own library reads", () => {
    const request = fc.record(
      { projectId: text, databaseId: text, keys: fc.array(key), propertyMask: mask },
      { requiredKeys: ["projectId", "databaseId", "keys"] },
    );
    fc.assert(
      fc.property(request, (given) => {
        const read = LookupRequest.decode(write.lookup(given));
        expect(LookupRequest.toObject(read, asObject)).toEqual(
          LookupRequest.toObject(LookupRequest.fromObject({ ...given }), asObject),
        );
      }),
    );
  });
});

describe("A commit", () => {
  it.each(["TRANSACTIONAL", "NON_TRANSACTIONAL"] as const)("writes what Google's own library reads, %s", (mode) => {
    const transaction = mode === "TRANSACTIONAL" ? { singleUseTransaction: { readWrite: {} } } : {};
    const request = fc.record({ projectId: text, databaseId: text, mutations: fc.array(mutation) });
    fc.assert(
      fc.property(request, (some) => {
        const given = { ...some, ...transaction, mode: COMMIT_MODE[mode] };
        const read = CommitRequest.decode(write.commit(given));
        expect(CommitRequest.toObject(read, asObject)).toEqual(
          CommitRequest.toObject(CommitRequest.fromObject({ ...given }), asObject),
        );
      }),
    );
  });
});
