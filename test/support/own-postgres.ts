import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { findProgram } from "./find-program";
import { freePort } from "./free-port";

/** Where Debian keeps each version's programs. */
const VERSIONS = "/usr/lib/postgresql";
/** The longest time to start, in milliseconds: after a kill it replays its log. */
const START_MS = 60_000;

/** The folder of PostgreSQL's programs; undefined where it is not installed. */
function programs(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).map(Number) : [];
  const newest = join(VERSIONS, String(Math.max(...versions)), "bin");
  return [...(process.env.PATH ?? "").split(":"), newest].find((folder) => existsSync(join(folder, "initdb")));
}

/** What is missing on this machine for a PostgreSQL server, or a PgBouncer, of a test's own. */
const MISSING = {
  postgres: programs() === undefined ? "initdb and postgres (apt-get install postgresql)" : undefined,
  pgbouncer: findBouncer() === undefined ? "PgBouncer (apt-get install pgbouncer)" : undefined,
};

/**
 * `describe` for tests that start these programs. Where one is missing they are skipped and say so; on a build server
 * (`CI`) they fail for want of PostgreSQL, but not of PgBouncer.
 */
export function describeWithOwn(needed: readonly (keyof typeof MISSING)[], name: string, body: () => void): void {
  const missing = needed.map((program) => MISSING[program]).filter((text) => text !== undefined);
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  process.stderr.write(`\nSKIPPED: ${name}: this machine lacks ${missing.join(" and ")}.\n`);
  if (process.env.CI && needed.some((program) => program === "postgres" && MISSING[program] !== undefined))
    it(`${name}: needs ${missing.join(" and ")}`, () => expect(missing).toEqual([]));
  else describe.skip(name, body);
}

/** The programs refuse to run as root. */
function asPostgres(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

/** A new folder for a server of a test's own. */
export function ownFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, "coatcheck-postgres-"));
  const { uid, gid } = asPostgres();
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

/** A PostgreSQL server in a temporary folder, on a free port of the loopback, in which anybody may do anything. */
export class OwnPostgres {
  readonly #folder: string;
  readonly #programs: string | undefined;
  #port = 0;
  #server: ChildProcess | undefined;

  /** `bin` is the folder of its programs, and `folder` that of its files; without them, what this machine has. */
  constructor(bin = programs(), folder = ownFolder()) {
    this.#programs = bin;
    this.#folder = folder;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<this> {
    const bin = this.#programs ?? "";
    if (this.#port === 0) {
      this.#port = await freePort();
      const options = ["-D", join(this.#folder, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"];
      execFileSync(join(bin, "initdb"), options, { ...asPostgres(), stdio: "ignore", cwd: this.#folder });
    }
    const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "logging_collector=off"];
    const args = [
      "-D",
      join(this.#folder, "data"),
      "-p",
      String(this.#port),
      ...settings.flatMap((set) => ["-c", set]),
    ];
    const until = Date.now() + START_MS;
    // What is left of a server that was killed keeps the next one from starting for a moment.
    while (Date.now() < until) {
      const server = spawn(join(bin, "postgres"), args, { ...asPostgres(), stdio: "ignore", cwd: this.#folder });
      this.#server = server;
      while (server.exitCode === null && Date.now() < until) {
        if (await answers(this.url)) return this;
        await sleep(50);
      }
      await sleep(200);
    }
    throw new Error("PostgreSQL did not start.");
  }

  /** Starts it if it has gone down by itself. */
  async startIfDown(): Promise<void> {
    if (this.#server?.exitCode !== null || this.#server.signalCode !== null) await this.start();
  }

  /** Ends the server at once, as a power cut would; `start` recovers it. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGINT");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server?.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, "exit");
  }
}

function findBouncer(): string | undefined {
  return findProgram("pgbouncer", "/usr/sbin");
}

/** PgBouncer in transaction mode in front of a server, with fewer connections to it than clients have. */
export class OwnBouncer {
  readonly #folder = ownFolder();
  #bouncer: ChildProcess | undefined;
  #port = 0;

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
  }

  async start(serverPort: number): Promise<this> {
    this.#port = await freePort();
    const file = join(this.#folder, "pgbouncer.ini");
    writeFileSync(
      file,
      `[databases]
postgres = host=127.0.0.1 port=${serverPort} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${this.#port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_reset_query_always = 1
server_reset_query = DISCARD ALL
`,
    );
    const bouncer = spawn(findBouncer() ?? "", [file], { ...asPostgres(), stdio: "ignore", cwd: this.#folder });
    this.#bouncer = bouncer;
    while (bouncer.exitCode === null) {
      if (await answers(this.url)) return this;
      await sleep(50);
    }
    throw new Error("PgBouncer did not start.");
  }

  async stop(): Promise<void> {
    const bouncer = this.#bouncer;
    if (bouncer?.exitCode === null) {
      bouncer.kill("SIGKILL");
      await once(bouncer, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
