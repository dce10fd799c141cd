import { statfsSync } from "node:fs";

/** A file system that may not suit SQLite, whose WAL needs memory that all its processes share. */
export interface ForeignFileSystem {
  readonly name: string;
  /** Whether it is one of another machine; otherwise it may be one of another machine, or of the host of a virtual machine. */
  readonly isNetwork: boolean;
}

/** By the magic numbers of Linux's statfs(2). */
const FOREIGN: ReadonlyMap<number, ForeignFileSystem> = new Map([
  [0x6969, { name: "NFS", isNetwork: true }],
  [0x517b, { name: "SMB", isNetwork: true }],
  [0xff534d42, { name: "CIFS", isNetwork: true }],
  [0xfe534d42, { name: "SMB", isNetwork: true }],
  [0x5346414f, { name: "AFS", isNetwork: true }],
  [0x00c36400, { name: "Ceph", isNetwork: true }],
  [0x0bd00bd0, { name: "Lustre", isNetwork: true }],
  [0x65735546, { name: "FUSE", isNetwork: false }],
  [0x01021997, { name: "9P", isNetwork: false }],
]);

/** The file system of a folder where it may not suit SQLite; undefined for others, and where there is no telling. */
export function foreignFileSystem(folder: string): ForeignFileSystem | undefined {
  return process.platform === "linux" ? FOREIGN.get(statfsSync(folder).type) : undefined;
}
