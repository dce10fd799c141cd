import { inspect } from "node:util";
import { SessionError } from "../../errors";
import { isExpired, liveAttributes } from "../../record/expiry";
import { dictionary } from "../../record/session-record";
import type { AttributeRecord, SessionRecord } from "../../record/session-record";
import type { Duration } from "../../record/duration";
import { expiresInMs } from "../../record/duration";
import {
  assertAllExist,
  assertAttributeName,
  assertAttributeNames,
  assertNoneExists,
  readDrafts,
} from "./attribute-arguments";
import type { AttributeItem, AttributeOptions } from "./attribute-arguments";
import { AttributeInfo } from "./attribute-info";
import { AttributeValues } from "./attribute-values";
import type { AttributeDraft } from "./attribute-values";
import type { OwnRecord } from "../life/session-state";
import type { SessionPolicy } from "../life/session-policy";

/** How many attributes a session may have. */
export const MAX_ATTRIBUTES = 1000;

type Live = Readonly<Record<string, AttributeRecord>>;

/**
 * Named values beside a session's data. Each lives as long as the session, or shorter, and each can be encrypted. They
 * end with their session: a login, logout or reset carries none over.
 *
 * Every call that writes is one atomic step in the store: when its promise resolves, all of it is stored, and parallel
 * requests see it at once; when it rejects, nothing is. Reading costs no store read beyond the session's own load. An
 * expired attribute counts as absent.
 *
 * The values that are returned are copies: changing one changes nothing, only `set` and `update` do. Names have 1 to
 * 191 characters, none of them a control character (`SESSION_ARGUMENT`). A session has at most 1,000 attributes, and
 * `maxBytes` counts them (`SESSION_TOO_LARGE`). All calls that write reject with `SESSION_ENDED` where the session is
 * over.
 */
export class SessionAttributes {
  readonly #own: OwnRecord;
  readonly #now: () => number;
  readonly #values: AttributeValues;

  /** @internal Every session has its own, as `session.attributes`. */
  constructor(own: OwnRecord, policy: Pick<SessionPolicy, "now" | "encryption">) {
    this.#own = own;
    this.#now = policy.now;
    this.#values = new AttributeValues(policy.encryption);
  }

  /**
   * Creates an attribute. Rejects with `ATTRIBUTE_EXISTS` where it exists, and with a RangeError for a wrong
   * `expiresIn`.
   */
  create(name: string, value: unknown, options: AttributeOptions = {}): Promise<void> {
    return this.createMany([{ name, value }], options);
  }

  /** Creates several, or none: `ATTRIBUTE_EXISTS` names those that exist. */
  createMany(items: readonly AttributeItem[], defaults: AttributeOptions = {}): Promise<void> {
    return this.#given(async () => this.#write(readDrafts(items, defaults), assertNoneExists));
  }

  /** Creates an attribute, or sets a new value as `update` does. */
  set(name: string, value: unknown, options: AttributeOptions = {}): Promise<void> {
    return this.setMany([{ name, value }], options);
  }

  /** Creates or updates all of them, in one step: all of it is written, or nothing. */
  setMany(items: readonly AttributeItem[], defaults: AttributeOptions = {}): Promise<void> {
    return this.#given(async () => this.#write(readDrafts(items, defaults), () => undefined));
  }

  /**
   * Sets a new value of an attribute; rejects with `ATTRIBUTE_NOT_FOUND` where there is none. When it expires, and
   * whether it is encrypted, stays as it is unless the options say otherwise.
   */
  update(name: string, value: unknown, options: AttributeOptions = {}): Promise<void> {
    return this.updateMany([{ name, value }], options);
  }

  /** Updates several, or none: `ATTRIBUTE_NOT_FOUND` names those that are missing. */
  updateMany(items: readonly AttributeItem[], defaults: AttributeOptions = {}): Promise<void> {
    return this.#given(async () => this.#write(readDrafts(items, defaults), assertAllExist));
  }

  /**
   * Resolves to the value, or undefined where there is none. Rejects with `ATTRIBUTE_UNREADABLE` where it can't be
   * decrypted.
   */
  get(name: string): Promise<unknown> {
    return this.#given(async () => {
      return (await this.getMany([name]))[name];
    });
  }

  /** Resolves to the value and what is known of it, or undefined where there is none. */
  getInfo(name: string): Promise<AttributeInfo | undefined> {
    return this.#given(async () => {
      assertAttributeName(name);
      const record = await this.#own.current();
      const attribute = record?.attributes[name];
      if (record === undefined || attribute === undefined || isExpired(attribute, this.#now())) return undefined;
      return new AttributeInfo(name, this.#values.value(record.id, name, attribute), attribute);
    });
  }

  /** Resolves to the values by name, in an object that inherits nothing; absent attributes are left out. */
  getMany(names: readonly string[]): Promise<Record<string, unknown>> {
    return this.#given(async () => {
      assertAttributeNames(names);
      return this.#read(await this.#own.current(), names);
    });
  }

  /** Resolves to all values by name, in an object that inherits nothing. */
  toObject(): Promise<Record<string, unknown>> {
    return this.#given(async () => {
      const record = await this.#own.current();
      return this.#read(record, Object.keys(record?.attributes ?? {}));
    });
  }

  /** The names of the attributes that have not expired, in no particular order. */
  names(): Promise<string[]> {
    return this.#given(async () => {
      return Object.keys(this.#live(await this.#own.current()));
    });
  }

  /** Whether there is an attribute of this name that has not expired. */
  exists(name: string): Promise<boolean> {
    return this.#given(async () => {
      return (await this.existsMany([name]))[name] === true;
    });
  }

  /** Resolves to whether each of these exists, by name, in an object that inherits nothing. */
  existsMany(names: readonly string[]): Promise<Record<string, boolean>> {
    return this.#given(async () => {
      assertAttributeNames(names);
      const live = this.#live(await this.#own.current());
      const exist = dictionary<boolean>();
      for (const name of names) exist[name] = live[name] !== undefined;
      return exist;
    });
  }

  /** Resolves to whether it existed. */
  delete(name: string): Promise<boolean> {
    return this.#given(async () => {
      return (await this.deleteMany([name])) === 1;
    });
  }

  /** Resolves to how many of them existed. */
  deleteMany(names: readonly string[]): Promise<number> {
    return this.#given(async () => {
      assertAttributeNames(names);
      let remove: string[] = [];
      await this.#own.change((record) => {
        const live = this.#live(record);
        remove = [...new Set(names)].filter((name) => live[name] !== undefined);
        return remove.length === 0 ? undefined : { attributes: { remove } };
      });
      return remove.length;
    });
  }

  /** Lets an attribute live for this long from now on. Rejects with `ATTRIBUTE_NOT_FOUND` where there is none. */
  setExpiry(name: string, expiresIn: Duration): Promise<void> {
    return this.setExpiryMany([name], expiresIn);
  }

  /** The same for several, or none: `ATTRIBUTE_NOT_FOUND` names those that are missing. */
  setExpiryMany(names: readonly string[], expiresIn: Duration): Promise<void> {
    return this.#given(async () => {
      assertAttributeNames(names);
      const lifeMs = expiresInMs(expiresIn);
      if (names.length === 0) return;
      await this.#own.change((record) => {
        const live = this.#live(record);
        assertAllExist(names, live);
        const expiresAt = this.#now() + lifeMs;
        const set = dictionary<AttributeRecord>();
        for (const name of names) {
          const attribute = live[name];
          if (attribute !== undefined) set[name] = this.#values.renewed(record.id, name, attribute, expiresAt);
        }
        return { attributes: { set } };
      });
    });
  }

  /** What logs show: the names, and no value. */
  [inspect.custom](_depth: number, options: object): string {
    return `SessionAttributes ${inspect({ names: Object.keys(this.#live(this.#own.record)) }, options)}`;
  }

  #given<T>(work: () => Promise<T>): Promise<T> {
    return this.#own.given(work());
  }

  async #write(
    drafts: readonly AttributeDraft[],
    check: (names: readonly string[], live: Live) => void,
  ): Promise<void> {
    if (drafts.length === 0) return;
    const names = drafts.map(({ name }) => name);
    await this.#own.change((record) => {
      const live = this.#live(record);
      check(names, live);
      assertCount(Object.keys(live).length + names.filter((name) => live[name] === undefined).length);
      const now = this.#now();
      const set = dictionary<AttributeRecord>();
      for (const draft of drafts) set[draft.name] = this.#values.written(record.id, draft, live[draft.name], now);
      return { attributes: { set } };
    });
  }

  #read(record: SessionRecord | undefined, names: readonly string[]): Record<string, unknown> {
    const values = dictionary<unknown>();
    if (record === undefined) return values;
    const now = this.#now();
    for (const name of names) {
      const attribute = record.attributes[name];
      if (attribute === undefined || isExpired(attribute, now)) continue;
      values[name] = this.#values.value(record.id, name, attribute);
    }
    return values;
  }

  #live(record: SessionRecord | undefined): Live {
    return record === undefined ? dictionary() : liveAttributes(record.attributes, this.#now());
  }
}

function assertCount(count: number): void {
  if (count <= MAX_ATTRIBUTES) return;
  throw new SessionError(
    "SESSION_TOO_LARGE",
    `The session would have ${count} attributes, and may have ${MAX_ATTRIBUTES}; keep long lists elsewhere.`,
  );
}
