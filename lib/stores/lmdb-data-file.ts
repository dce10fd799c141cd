import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";
import { join } from "node:path";

/*
 * Where the two meta pages of LMDB's data format 2 have what is read here (`mdb.c`: MDB_page_header, MDB_meta), on
 * little-endian machines of 64 bits. lmdb itself ends the process where this is not what it expects.
 */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const PAGE_BYTES_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 160;

/** Throws where the folder has a data file that lmdb could not survive: it is something else, or a good part of it is missing. */
export function assertReadable(folder: string): void {
  const path = join(folder, "data.mdb");
  const file = openIfThere(path);
  if (file === undefined) return;
  try {
    const { size } = fstatSync(file);
    if (size === 0 || !process.arch.endsWith("64") || endianness() !== "LE") return;
    const first = metaPage(file, 0);
    if (first.magic !== MAGIC) throw new Error(`${path} is damaged, or not a session file; restore or delete it`);
    const second = metaPage(file, first.pageBytes);
    const { lastPage } = second.magic === MAGIC && second.transaction > first.transaction ? second : first;
    const pages = Number(lastPage) + 1;
    const missing = pages - size / first.pageBytes;
    // A sound file may end before free pages that were never written.
    if (missing > 2 + pages / 10) throw new Error(`${path} was cut off; restore or delete it`);
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function metaPage(file: number, at: number) {
  const meta = Buffer.alloc(META_BYTES);
  readSync(file, meta, 0, META_BYTES, at);
  return {
    magic: meta.readUInt32LE(MAGIC_AT),
    pageBytes: meta.readUInt32LE(PAGE_BYTES_AT),
    lastPage: meta.readBigUInt64LE(LAST_PAGE_AT),
    transaction: meta.readBigUInt64LE(TRANSACTION_AT),
  };
}
