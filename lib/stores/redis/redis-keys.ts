/** The characters of an id (base64url), in the order of their bytes. */
const IN_ORDER = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/** What a record is: live or ended. It begins the names of its keys. */
export type Kind = "s" | "e";

/**
 * The names of keys. All that belongs to a session lies in one hash slot of a Cluster, its shard, which follows from the
 * beginning of its id. Shards are in the order of ids: each holds the ids that come after those of the one before.
 */
export class RedisKeys {
  /** What the keys of each shard begin with: its hash tag. */
  readonly shards: readonly string[];

  constructor(prefix: string, shards: number) {
    this.shards = Array.from({ length: shards }, (_, shard) => `{${prefix}:${shard.toString(36)}}:`);
  }

  /** The number of the shard that an id lies in. */
  shardOf(id: string): number {
    const first = id.charAt(0);
    let rank = IN_ORDER.indexOf(first);
    if (rank <= 0) {
      // No id of ours; the order of bytes holds all the same.
      rank = 0;
      while (rank < IN_ORDER.length - 1 && IN_ORDER.charAt(rank + 1) <= first) rank += 1;
    }
    return Math.floor((rank * this.shards.length) / IN_ORDER.length);
  }

  /** The hash of a record. */
  record(kind: Kind, id: string): string {
    return `${this.#shard(id)}${kind}:${id}`;
  }

  /** All that a script needs to change a live session and nothing else; those of its owners it finds itself. */
  ofLive(id: string): string[] {
    const shard = this.#shard(id);
    return [`${shard}s:${id}`, `${shard}sd`, `${shard}t`];
  }

  /** All that a script needs to make or end a session; those of its owner it finds itself. */
  ofSession(id: string): string[] {
    const shard = this.#shard(id);
    return [
      ...[`${shard}s:${id}`, `${shard}s`, `${shard}sd`, `${shard}t`],
      ...[`${shard}e:${id}`, `${shard}e`, `${shard}ed`, `${shard}x:${id}`],
    ];
  }

  /** The ids of all records of a shard, or of its owner's: a sorted set in the order of their bytes. */
  ids(kind: Kind, shard: string, owner: string | undefined): string | Buffer {
    if (owner === undefined) return `${shard}${kind}`;
    const bytes = textBytes(owner);
    const name = `${shard}${kind}o:`;
    return typeof bytes === "string" ? name + bytes : Buffer.concat([Buffer.from(name), bytes]);
  }

  /** The records of a shard by when they may be cleared. */
  due(kind: Kind, shard: string): string {
    return `${shard}${kind}d`;
  }

  /** How many live sessions of a shard each group has, by bucket. */
  tallies(shard: string): string {
    return `${shard}t`;
  }

  #shard(id: string): string {
    return this.shards[this.shardOf(id)] ?? "";
  }
}

/** What begins a text that UTF-8 can't hold, because it has halves of characters; no UTF-8 begins like that. */
const UTF16 = 0xff;

/** A text as Redis keeps it: UTF-8, or where that can't hold it UTF-16 after a mark. */
export function textBytes(text: string): string | Buffer {
  return text.isWellFormed() ? text : Buffer.concat([Buffer.of(UTF16), Buffer.from(text, "utf16le")]);
}

/** The text of these bytes from an offset on. */
export function textOf(bytes: Buffer, from = 0): string {
  return bytes[from] === UTF16 ? bytes.toString("utf16le", from + 1) : bytes.toString("utf8", from);
}
