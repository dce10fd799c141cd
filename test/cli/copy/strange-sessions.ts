import { markedCounters } from "../../../lib/cli/copy/copy-marks";
import type { EndedRecord, SessionRecord } from "../../../lib/record/session-record";
import { encodeValue } from "../../../lib/record/value/value-encoding";
import { endedOf, fullRecord, map, plain } from "../../../lib/testing/store-contract/sample-records";
import type { SessionStore } from "../../../lib/stores/store";
import { killed, sessionRecord } from "../../support/session-records";
import { STORABLE } from "../../support/storable-values";

const ODD_NAMES = [
  ...["__guest__2", 'o\'hara "the" `cup`', "a\0b", "a.b[0]{c}%d*?", "__proto__", "\\", "🍵 é", " ", "$1; --"],
  "x".repeat(1024),
  "é".repeat(512),
];

/** Live records with all that is hard to store: every kind of value, and names that mean something to some store. */
export function strangeRecords(): SessionRecord[] {
  const values = STORABLE.map(([name, make]) => [name, encodeValue(name, make())] as const);
  const named = <T>(item: T) => map(Object.fromEntries([...ODD_NAMES, ""].map((name) => [name, item])));
  const now = Date.now();
  const full = fullRecord();
  return [
    full,
    sessionRecord(),
    sessionRecord({ owner: "forever", idleMs: Infinity, endsAt: Infinity, expiresAt: Infinity, purgeAt: Infinity }),
    sessionRecord({ expiresAt: now - 1, lastSeenAt: now - 3_600_001 }),
    sessionRecord({ data: map(Object.fromEntries(values)) }),
    sessionRecord({
      data: named('"v"'),
      attributes: named({
        ...{ value: Uint8Array.of(0, 255, 128), encrypted: true },
        ...{ createdAt: now, modifiedAt: now, expiresAt: Infinity },
      }),
      keys: named({ payload: Uint8Array.of(0, 1), createdAt: now, expiresAt: now + 60_000 }),
      pages: named({ path: "/é\0'", title: "'\"{}\0", openedAt: now, seenAt: now }),
      counters: named(3),
    }),
    ...ODD_NAMES.map((owner) => sessionRecord({ owner, userAgent: `'"\0${owner}`.slice(0, 200) })),
  ];
}

/** Fills a store with them, a part of them ended. Resolves to the ids. */
export async function fillStrangely(store: SessionStore): Promise<string[]> {
  const [live, gone] = [strangeRecords(), strangeRecords()];
  await Promise.all([...live, ...gone].map((record) => store.create(record)));
  await Promise.all(
    gone.map(({ id }, at) => {
      const message = at % 2 === 0 ? {} : { message: "'\"\0 é" };
      return store.end(id, { ...killed(), ...message, endedBy: ODD_NAMES[at] ?? null, reason: "logout" });
    }),
  );
  return [...live, ...gone].map(({ id }) => id);
}

/** What a store has of an id, as apps see it: without the marks of a copy. */
export async function contentOf(store: SessionStore, id: string): Promise<unknown> {
  const live = await store.load(id);
  const ended: EndedRecord | undefined = await endedOf(store, id);
  return plain({ live: live && { ...live, counters: markedCounters(live, undefined) }, ended });
}

/** Fails unless both stores have the same of each of these ids. */
export async function assertEqualIn(source: SessionStore, target: SessionStore, ids: readonly string[]): Promise<void> {
  const contents = (store: SessionStore) => Promise.all(ids.map((id) => contentOf(store, id)));
  expect(await contents(target)).toEqual(await contents(source));
}
