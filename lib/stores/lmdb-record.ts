import { dictionary } from "../record/dictionary";
import { RECORD_VERSION } from "../record/session-record";
import type {
  AttributeRecord,
  Encoded,
  EndedRecord,
  EndReason,
  PageRecord,
  SecurityKeyRecord,
  SessionRecord,
} from "../record/session-record";
import { Packer, Unpacker } from "./lmdb-packing";
import { endedRun, liveRun } from "./lmdb-run";

/** How one kind of record is written to bytes and read back. */
export interface LmdbFormat<R> {
  /** `version` is a number that no other write of this record has; it comes first. */
  pack(record: R, version: number): Buffer;
  /** Throws `SESSION_UNREADABLE`. What it answers does not share memory with `packed`. */
  unpack(id: string, packed: Uint8Array): Versioned<R>;
  /** What stands before a record's id in the index of times. */
  runOf(record: R): string;
  /** Whether that begins with the group that the record is counted in. */
  readonly isGrouped: boolean;
}

/** A record as it was read, with the version that a conditional write compares. */
export interface Versioned<R> {
  readonly record: R;
  readonly version: number;
}

const LIVE = 1;
const ENDED = 2;

const packer = new Packer();

/** Which parts an ended record has. */
const BY = 1;
const MESSAGE = 2;
const BYTES = 4;

export const liveFormat: LmdbFormat<SessionRecord> = {
  runOf: liveRun,
  isGrouped: true,

  pack(record, version) {
    packer.start();
    packer.number(version);
    packer.encoded(record.owner);
    packer.encoded(record.project);
    packer.encoded(record.scope);
    packer.number(record.createdAt);
    packer.number(record.lastSeenAt);
    packer.number(record.idleMs);
    packer.number(record.endsAt);
    packer.number(record.expiresAt);
    packer.number(record.purgeAt);
    packer.encoded(record.remoteAddress);
    packer.encoded(record.userAgent);
    packMap(record.data, packEncoded);
    packMap(record.attributes, packAttribute);
    packMap(record.keys, packSecurityKey);
    packMap(record.pages, packPage);
    packMap(record.counters, packNumber);
    return packer.pack(LIVE);
  },

  unpack(id, packed) {
    const from = new Unpacker(LIVE, id, packed);
    // The fields of an object literal are read in the order in which they stand here: that of `pack`.
    return {
      version: from.number(),
      record: {
        v: RECORD_VERSION,
        id,
        owner: from.text(),
        project: from.text(),
        scope: from.text(),
        createdAt: from.number(),
        lastSeenAt: from.number(),
        idleMs: from.number(),
        endsAt: from.number(),
        expiresAt: from.number(),
        purgeAt: from.number(),
        remoteAddress: from.text(),
        userAgent: from.text(),
        data: unpackMap(from, readEncoded),
        attributes: unpackMap(from, readAttribute),
        keys: unpackMap(from, readSecurityKey),
        pages: unpackMap(from, readPage),
        counters: unpackMap(from, readNumber),
      },
    };
  },
};

export const endedFormat: LmdbFormat<EndedRecord> = {
  runOf: endedRun,
  isGrouped: false,

  pack(record, version) {
    packer.start();
    packer.number(version);
    packer.encoded(record.owner);
    packer.encoded(record.project);
    packer.encoded(record.scope);
    packer.number(record.createdAt);
    packer.number(record.lastSeenAt);
    packer.encoded(record.remoteAddress);
    packer.encoded(record.userAgent);
    packer.number(record.endedAt);
    packer.encoded(record.reason);
    const { endedBy, message, bytesSent } = record;
    packer.size(
      (endedBy === null ? 0 : BY) | (message === undefined ? 0 : MESSAGE) | (bytesSent === undefined ? 0 : BYTES),
    );
    if (endedBy !== null) packer.encoded(endedBy);
    packer.number(record.purgeAt);
    if (message !== undefined) packer.encoded(message);
    if (bytesSent !== undefined) packer.number(bytesSent);
    return packer.pack(ENDED);
  },

  unpack(id, packed) {
    const from = new Unpacker(ENDED, id, packed);
    let parts = 0;
    return {
      version: from.number(),
      record: {
        v: RECORD_VERSION,
        id,
        owner: from.text(),
        project: from.text(),
        scope: from.text(),
        createdAt: from.number(),
        lastSeenAt: from.number(),
        remoteAddress: from.text(),
        userAgent: from.text(),
        endedAt: from.number(),
        reason: from.text() as EndReason,
        endedBy: ((parts = from.size()) & BY) === 0 ? null : from.text(),
        purgeAt: from.number(),
        ...((parts & MESSAGE) === 0 ? undefined : { message: from.text() }),
        ...((parts & BYTES) === 0 ? undefined : { bytesSent: from.number() }),
      },
    };
  },
};

const packEncoded = (value: Encoded) => packer.encoded(value);
const packNumber = (value: number) => packer.number(value);
const packAttribute = (attribute: AttributeRecord) => {
  packer.encoded(attribute.value);
  packer.size(attribute.encrypted ? 1 : 0);
  packer.number(attribute.createdAt);
  packer.number(attribute.modifiedAt);
  packer.number(attribute.expiresAt);
};
const packSecurityKey = (key: SecurityKeyRecord) => {
  packer.encoded(key.payload);
  packer.number(key.createdAt);
  packer.number(key.expiresAt);
};
const packPage = (page: PageRecord) => {
  packer.encoded(page.path);
  packer.number(page.openedAt);
  packer.number(page.seenAt);
};

const readEncoded = (from: Unpacker) => from.encoded();
const readNumber = (from: Unpacker) => from.number();
const readAttribute = (from: Unpacker) => ({
  value: from.encoded(),
  encrypted: from.size() === 1,
  createdAt: from.number(),
  modifiedAt: from.number(),
  expiresAt: from.number(),
});
const readSecurityKey = (from: Unpacker) => ({
  payload: from.encoded(),
  createdAt: from.number(),
  expiresAt: from.number(),
});
const readPage = (from: Unpacker) => ({ path: from.text(), openedAt: from.number(), seenAt: from.number() });

function packMap<T>(map: Readonly<Record<string, T>>, packValue: (value: T) => void): void {
  const entries = Object.entries(map);
  packer.size(entries.length);
  for (const [key, value] of entries) {
    packer.encoded(key);
    packValue(value);
  }
}

function unpackMap<T>(from: Unpacker, readValue: (from: Unpacker) => T): Record<string, T> {
  const map = dictionary<T>();
  for (let left = from.size(); left > 0; left -= 1) {
    const key = from.text();
    map[key] = readValue(from);
  }
  return map;
}
