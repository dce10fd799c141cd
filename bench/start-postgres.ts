import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram } from "../test/support/find-program";
import { isListening } from "./listening";

interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

/** Where Debian keeps the server's programs, one folder for each version. */
const DEBIAN = "/usr/lib/postgresql";

/** The server's program, of the newest version; undefined where PostgreSQL or a user who may run it is missing. */
export function findPostgresServer(): string | undefined {
  if (process.getuid?.() === 0 && serverUser() === undefined) return undefined;
  return findProgram("postgres", ...debianFolders());
}

/**
 * Starts a server of its own in a new folder, with its default settings, so that a committed change is on disk, and
 * with `pg_stat_statements`. Resolves to how to stop it, which removes the folder.
 */
export async function startPostgres(postgres: string, port: number): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "coatcheck-bench-postgres-"));
  const user = serverUser() ?? {};
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const initdb = join(postgres, "..", "initdb");
  execFileSync(initdb, ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], {
    ...user,
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: folder,
    shared_preload_libraries: "pg_stat_statements",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(postgres, ["-D", data, ...options], { ...user, cwd: folder, stdio: "ignore" });
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true });
  };
  while (!(await isListening(port))) {
    if (child.exitCode !== null) {
      await stop();
      throw new Error(`postgres ended with ${child.exitCode} on port ${port}.`);
    }
    await sleep(50);
  }
  return stop;
}

/** Without waiting for its clients. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
}

/** PostgreSQL refuses to run as root. */
function serverUser(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const [uid, gid] = ["-u", "-g"].map((option) =>
      Number(execFileSync("id", [option, "postgres"], { stdio: "pipe" })),
    );
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  } catch {
    return undefined;
  }
}

function debianFolders(): string[] {
  try {
    const versions = readdirSync(DEBIAN).sort((one, other) => Number(other) - Number(one));
    return versions.map((version) => join(DEBIAN, version, "bin"));
  } catch {
    return [];
  }
}
