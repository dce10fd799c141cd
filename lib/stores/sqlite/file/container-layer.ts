import { readFileSync } from "node:fs";
import { sep } from "node:path";

/**
 * Warns once at start where a production app keeps its sessions in the layer of its own container: the next deployment
 * would sign everybody out. Linux only; `folder` is absolute, without symbolic links.
 */
export function warnOfContainerLayer(folder: string): void {
  if (process.platform !== "linux" || process.env.NODE_ENV !== "production") return;
  const mounts = readMounts();
  if (mounts === undefined || !isOnContainerLayer(folder, mounts)) return;
  process.emitWarning(
    `The session folder ${folder} is inside this container, so its sessions are lost with it: at the next deployment everybody is signed out. ` +
      `Mount a volume there (docker run --volume sessions:${folder}), or keep sessions in another store.`,
    { type: "CoatcheckWarning", code: "COATCHECK_CONTAINER_LAYER" },
  );
}

/**
 * Whether the folder lies on an overlay file system, the writable layer of a container, by the text of
 * `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
 */
export function isOnContainerLayer(folder: string, mountinfo: string): boolean {
  let longest = "";
  let isOverlay = false;
  for (const line of mountinfo.split("\n")) {
    const [mount, source] = line.split(" - ");
    const mountPoint = mount?.split(" ")[4];
    if (mountPoint === undefined || source === undefined) continue;
    const path = unescaped(mountPoint);
    // Of mounts at one place, the last one is seen.
    if (path.length < longest.length || !isWithin(folder, path)) continue;
    longest = path;
    isOverlay = /^(?:fuse\.)?(?:overlay|overlayfs|fuse-overlayfs|aufs) /.test(source);
  }
  return isOverlay;
}

function isWithin(folder: string, mountPoint: string): boolean {
  return folder === mountPoint || folder.startsWith(mountPoint.endsWith(sep) ? mountPoint : mountPoint + sep);
}

/** Spaces, tabs, line ends and backslashes stand there as octal numbers. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

function readMounts(): string | undefined {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    // Without /proc it can't be told, and nothing else needs it.
    return undefined;
  }
}
