import { posix } from "node:path";
import type { TraceEvent } from "./power-cut-trace";

/** How many of the changes that nobody has synced reached the disk by chance, of this many to one place. */
export type Luck = (changes: number) => number;

export const NOTHING: Luck = () => 0;
export const EVERYTHING: Luck = (changes) => changes;

/** A disk writes this much as a whole. */
const SECTOR = 512;

/** Changes of one thing; those up to the latest sync are on disk. */
abstract class Durable<Change> {
  protected pending: Change[] = [];
  #settled = 0;

  add(change: Change): void {
    this.pending.push(change);
  }

  /** What a sync that starts now will bring to the disk; pass it to `settle` when that has ended. */
  mark(): number {
    return this.#settled + this.pending.length;
  }

  settle(mark: number): void {
    if (mark <= this.#settled) return;
    for (const change of this.pending.splice(0, mark - this.#settled)) this.keep(change);
    this.#settled = mark;
  }

  /** The change is on disk. */
  protected abstract keep(change: Change): void;
}

interface Write {
  readonly at: number;
  readonly data: Buffer;
}
interface Resize {
  readonly size: number;
}

class DiskFile extends Durable<Write | Resize> {
  #bytes = Buffer.alloc(4096);
  #size = 0;

  /**
   * Its content after a power failure: as long as it was at some moment since the latest sync, with each sector as it
   * was at some such moment. A truncation happens as a whole or not at all, as SQLite assumes of every file system (its
   * journal mode TRUNCATE depends on that).
   */
  afterPowerCut(luck: Luck): Buffer {
    const resized = luck(this.pending.length);
    const size = this.pending.slice(0, resized).reduce(sizeAfter, this.#size);
    const { kept, writes } = this.#writesWithout(resized);
    const end = Math.max(size, this.#size, ...writes.map(({ at, data }) => at + data.length));
    const bytes = Buffer.alloc(Math.ceil(end / SECTOR) * SECTOR);
    this.#bytes.copy(bytes, 0, 0, Math.min(this.#size, kept));
    for (const [sector, changes] of bySector(writes)) {
      const part = bytes.subarray(sector * SECTOR, (sector + 1) * SECTOR);
      for (const change of changes.slice(0, luck(changes.length))) applyTo(part, sector * SECTOR, change);
    }
    return bytes.subarray(0, size);
  }

  /**
   * The writes since the latest sync, without what truncations among the first `resized` changes removed; and what
   * these left of the older file.
   */
  #writesWithout(resized: number): { kept: number; writes: Write[] } {
    let kept = Infinity;
    const writes: Write[] = [];
    for (const [index, change] of [...this.pending.entries()].reverse()) {
      if ("data" in change)
        writes.push({ at: change.at, data: change.data.subarray(0, Math.max(kept - change.at, 0)) });
      else if (index < resized) kept = Math.min(kept, change.size);
    }
    return { kept, writes: writes.reverse() };
  }

  protected override keep(change: Write | Resize): void {
    const size = sizeAfter(this.#size, change);
    if (size > this.#bytes.length) {
      const larger = Buffer.alloc(size * 2);
      this.#bytes.copy(larger, 0, 0, this.#size);
      this.#bytes = larger;
    }
    applyTo(this.#bytes, 0, change);
    this.#size = size;
  }
}

function sizeAfter(before: number, change: Write | Resize): number {
  return "data" in change ? Math.max(before, change.at + change.data.length) : change.size;
}

function bySector(writes: readonly Write[]): Map<number, Write[]> {
  const sectors = new Map<number, Write[]>();
  for (const write of writes) {
    const end = write.at + write.data.length;
    for (let sector = Math.floor(write.at / SECTOR); sector * SECTOR < end; sector += 1) {
      const same = sectors.get(sector);
      if (same === undefined) sectors.set(sector, [write]);
      else same.push(write);
    }
  }
  return sectors;
}

/** Applies a change to the part of a file that begins at `start`. */
function applyTo(part: Buffer, start: number, change: Write | Resize): void {
  if ("size" in change) part.fill(0, Math.min(Math.max(change.size - start, 0), part.length));
  else {
    const from = Math.max(start - change.at, 0);
    change.data.copy(part, Math.max(change.at - start, 0), from);
  }
}

interface Entry {
  readonly name: string;
  readonly node: DiskFile | DiskFolder | undefined;
}

class DiskFolder extends Durable<Entry> {
  readonly #entries = new Map<string, DiskFile | DiskFolder>();

  /** Its entries after a power failure, each as it was at some moment since the latest sync of the folder. */
  afterPowerCut(luck: Luck): Map<string, DiskFile | DiskFolder> {
    const entries = new Map(this.#entries);
    for (const name of new Set(this.pending.map((entry) => entry.name))) {
      const changes = this.pending.filter((entry) => entry.name === name);
      for (const { node } of changes.slice(0, luck(changes.length))) setOrDelete(entries, name, node);
    }
    return entries;
  }

  protected override keep({ name, node }: Entry): void {
    setOrDelete(this.#entries, name, node);
  }
}

function setOrDelete<T>(map: Map<string, T>, name: string, value: T | undefined): void {
  if (value === undefined) map.delete(name);
  else map.set(name, value);
}

/**
 * A disk that remembers what was synced, and what was only written. Whatever a process does to the files in its root
 * goes through `apply`.
 */
export class Disk {
  readonly #root = new DiskFolder();
  /** As processes see it, whether or not it is on disk. */
  readonly #nodes = new Map<string, DiskFile | DiskFolder>([["", this.#root]]);
  readonly #open = new Map<string, { readonly name: string; readonly node: DiskFile | DiskFolder }>();
  readonly #syncs = new Map<string, { readonly node: DiskFile | DiskFolder; readonly mark: number }>();
  readonly #isSynced: (name: string) => boolean;

  /** A folder in the root is there from the beginning. Syncs of files for which `isSynced` returns false do nothing. */
  constructor(folder: string, isSynced: (name: string) => boolean = () => true) {
    this.#isSynced = isSynced;
    this.#link(folder, new DiskFolder());
    this.#root.settle(this.#root.mark());
  }

  /** The path of the file that an event is about, in the root of the disk. */
  nameOf({ handle }: TraceEvent): string | undefined {
    return this.#open.get(handle)?.name;
  }

  apply(event: TraceEvent): void {
    const { kind, handle, number, sync, data } = event;
    const opened = this.#open.get(handle);
    if (kind === "open") this.#opened(handle, data.toString(), number);
    else if (kind === "close") this.#open.delete(handle);
    else if (kind === "mkdir") this.#link(data.toString(), new DiskFolder());
    else if (kind === "unlink") this.#link(data.toString(), undefined);
    else if (kind === "rename") this.#renamed(data.toString().split("\0"));
    else if (opened === undefined) throw new Error(`The trace has a ${kind} of a file that is not open.`);
    else if (kind === "syncStarted") {
      if (this.#isSynced(opened.name)) this.#syncs.set(sync, { node: opened.node, mark: opened.node.mark() });
    } else if (kind === "syncEnded") {
      const started = this.#syncs.get(sync);
      started?.node.settle(started.mark);
      this.#syncs.delete(sync);
    } else if (opened.node instanceof DiskFile) {
      opened.node.add(kind === "write" ? { at: number, data } : { size: number });
    }
  }

  /** The files in a folder after a power failure, by name; undefined if the folder is not there at all. */
  filesAfterPowerCut(folder: string, luck: Luck): Map<string, Buffer> | undefined {
    let node: DiskFile | DiskFolder | undefined = this.#root;
    for (const name of folder.split("/")) {
      node = node instanceof DiskFolder ? node.afterPowerCut(luck).get(name) : undefined;
    }
    if (!(node instanceof DiskFolder)) return undefined;
    const files = new Map<string, Buffer>();
    for (const [name, file] of node.afterPowerCut(luck)) {
      if (file instanceof DiskFile) files.set(name, file.afterPowerCut(luck));
    }
    return files;
  }

  #opened(handle: string, name: string, how: number): void {
    if ((how & 1) !== 0) this.#link(name, new DiskFile());
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`The trace opens ${name}, which nobody made.`);
    if ((how & 2) !== 0 && node instanceof DiskFile) node.add({ size: 0 });
    this.#open.set(handle, { name, node });
  }

  #renamed([from = "", to = ""]: string[]): void {
    const node = this.#nodes.get(from);
    this.#link(from, undefined);
    this.#link(to, node);
  }

  #link(name: string, node: DiskFile | DiskFolder | undefined): void {
    const parent = posix.dirname(name);
    const folder = this.#nodes.get(parent === "." ? "" : parent);
    if (!(folder instanceof DiskFolder)) throw new Error(`The trace has ${name} in a folder that nobody made.`);
    folder.add({ name: posix.basename(name), node });
    setOrDelete(this.#nodes, name, node);
  }
}
