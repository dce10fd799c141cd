import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import { endingOf, liveRecord, loaded, map } from "../../../lib/testing/store-contract/sample-records";
import { eventually } from "../../support/eventually";
import { describeWithOwn, ownFolder, OwnPostgres } from "../../support/own-postgres";

const NAME = "PostgresStore on a disk that is full";
const SIZE = "size=160m";
const BALLAST = "ballast";

/** Mounts a disk of this size; undefined where this user may not. */
function mountDisk(): string | undefined {
  const disk = mkdtempSync(join(tmpdir(), "coatcheck-disk-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", SIZE, "tmpfs", disk]).status === 0) return disk;
  rmSync(disk, { recursive: true });
  return undefined;
}

function unmount(disk: string): void {
  execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
}

const tried = mountDisk();
if (tried === undefined) {
  process.stderr.write(`\nSKIPPED: ${NAME}: this user may not mount a disk (tmpfs).\n`);
  it.skip(NAME, () => undefined);
} else {
  unmount(tried);
  describeWithOwn(["postgres"], NAME, onDisk);
}

function onDisk(): void {
  let disk: string;
  let server: OwnPostgres;
  let store: PostgresStore;
  const live: string[] = [];
  const ended: string[] = [];

  beforeAll(async () => {
    disk = mountDisk() ?? "";
    server = await new OwnPostgres(undefined, ownFolder(disk)).start();
    store = new PostgresStore({ url: server.url });
    await store.migrate();
  }, 120_000);
  afterAll(async () => {
    await store.close();
    await server.stop();
    unmount(disk);
  });

  const visit = async () => {
    const [kept, over] = [liveRecord({ data: map({ text: JSON.stringify(randomText()) }) }), liveRecord()];
    await store.create(kept);
    live.push(kept.id);
    await store.create(over);
    if (await store.end(over.id, endingOf(over))) ended.push(over.id);
  };

  const heals = () =>
    eventually(async () => {
      await server.startIfDown();
      return visit().then(
        () => true,
        () => false,
      );
    });

  const nothingIsLost = async () => {
    for (const id of live) expect((await loaded(store, id)).id).toBe(id);
    for (const id of ended) expect(await store.load(id)).toBeUndefined();
  };

  it("P2, P7: refuses what needs room, keeps all that was acknowledged, and heals by itself", async () => {
    await visit();
    fill(disk);
    const failures: unknown[] = [];
    while (failures.length < 5) await visit().catch((error: unknown) => failures.push(error));
    for (const failure of failures) {
      expect(failure).toMatchObject({
        code: "SESSION_STORE",
        status: 503,
        message: expect.stringMatching(/No space left on device.*Make room on the server's disk/) as string,
      });
    }
    await nothingIsLost();
    rmSync(join(disk, BALLAST));
    await heals();
    await nothingIsLost();
  }, 180_000);

  it("P2, P7: fails with 503 where the server goes down for want of room, and heals once that runs again", async () => {
    fill(disk);
    // PostgreSQL ends all processes where it finds no room for the next part of its log.
    await expect(inServer(server, "SELECT pg_switch_wal(); CHECKPOINT")).rejects.toThrow();
    const failures: unknown[] = [];
    while (failures.length < 1) await visit().catch((error: unknown) => failures.push(error));
    expect(failures[0]).toMatchObject({ status: 503 });
    rmSync(join(disk, BALLAST));
    await heals();
    await nothingIsLost();
  }, 180_000);
}

async function inServer(server: OwnPostgres, text: string): Promise<void> {
  const client = new Client({ connectionString: server.url });
  client.on("error", () => undefined);
  await client.connect();
  await client.query(text).finally(() => client.end().catch(() => undefined));
}

/** Longer than what PostgreSQL has on one page, and nothing that it could compress. */
function randomText(): string {
  return randomBytes(15_000).toString("base64");
}

/** Fills the disk, but for a little. */
function fill(disk: string): void {
  const free = Number(execFileSync("df", ["--output=avail", "-B1", disk], { encoding: "utf8" }).split("\n")[1]);
  writeFileSync(join(disk, BALLAST), Buffer.alloc(free - 256 * 1024));
}
