import { inspect } from "node:util";

/**
 * An attribute and what is known of it. It is a copy: changing it changes nothing stored. Logs show everything but the
 * value.
 */
export class AttributeInfo {
  /** The name of the attribute. */
  readonly name: string;
  /** Its value, as it was set. */
  readonly value: unknown;
  /** When it was created. */
  readonly createdAt: Date;
  /** When its value was last set; a new expiry does not count. */
  readonly modifiedAt: Date;
  /** When it expires, unless its session ends before; null where it lives as long as its session. */
  readonly expiresAt: Date | null;
  /** Whether its value is encrypted in the store. */
  readonly encrypted: boolean;

  /** @internal */
  constructor(
    name: string,
    value: unknown,
    known: {
      readonly createdAt: number;
      readonly modifiedAt: number;
      readonly expiresAt: number;
      readonly encrypted: boolean;
    },
  ) {
    this.name = name;
    this.value = value;
    this.createdAt = new Date(known.createdAt);
    this.modifiedAt = new Date(known.modifiedAt);
    this.expiresAt = known.expiresAt === Infinity ? null : new Date(known.expiresAt);
    this.encrypted = known.encrypted;
  }

  /** What logs show: no value. */
  [inspect.custom](_depth: number, options: object): string {
    const { name, createdAt, modifiedAt, expiresAt, encrypted } = this;
    return `AttributeInfo ${inspect({ name, createdAt, modifiedAt, expiresAt, encrypted }, options)}`;
  }
}
