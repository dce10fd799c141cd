/**
 * Keys of LMDB as UTF-8 text, which is how lmdb writes names and ids too where it isn't told. Where it is, LMDB compares keys itself, in half the time or
 * less, and the order is the same: that of the bytes. (lmdb-js, "Custom Key Encoding")
 */
export const keyEncoder = {
  /** Answers where the key ends. One that the target has no room for is cut off, and still longer than any that lmdb takes. */
  writeKey(key: string | Uint8Array, target: Buffer, start: number): number {
    // LMDB has no empty keys; this byte is what lmdb writes for an empty text.
    if (key === "") return target.writeUInt8(27, start);
    if (typeof key === "string") return start + target.write(key, start);
    // Where a range has no start, lmdb begins with bytes of its own.
    target.set(key, start);
    return start + key.length;
  },

  readKey(source: Buffer, start: number, end: number): string {
    return source.toString("utf8", start, end);
  },
};
