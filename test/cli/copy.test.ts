import { join } from "node:path";
import { MemoryStore } from "../../lib/stores/memory-store";
import { changesIn, SessionCopy } from "../../lib/cli/copy/session-copy";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { endedOf, fullRecord, plain } from "../../lib/testing/store-contract/sample-records";
import { commandLine } from "../support/command-line";
import { describeOnEveryStore } from "../support/every-store";
import { inFile } from "../support/sqlite-checks";
import { killed, sessionRecord } from "../support/session-records";

const ignore = () => undefined;
const fail = (id: string, error: unknown) => {
  throw new Error(`${id} failed`, { cause: error });
};

describeOnEveryStore("copying sessions", (every) => {
  it.each(["from", "to"])("%s this store: live and ended ones, changes and ends, and nothing revives", async (way) => {
    const [ours, memory] = [await every.open({ now: () => 0 }), new MemoryStore({ now: () => 0 })];
    const [source, target] = way === "from" ? [ours, memory] : [memory, ours];
    const [full, gone, killedThere] = [fullRecord(), fullRecord(), sessionRecord()];
    for (const record of [full, gone, killedThere]) await source.create(record);
    await source.end(gone.id, killed());
    const copy = new SessionCopy(source, target);
    expect(await copy.pass(ignore, fail)).toMatchObject({ created: 2, ended: 1, failed: 0 });
    expect(plain(await target.load(full.id))).toEqual(plain(full));
    expect(plain(await endedOf(target, gone.id))).toEqual(plain(await endedOf(source, gone.id)));
    expect(changesIn(await copy.pass(ignore, fail))).toBe(0);

    await target.end(killedThere.id, { ...killed(), purgeAt: 0 });
    await source.update(full.id, { counters: { requests: 2 }, data: { set: { n: "1" }, remove: ["text"] } });
    expect(await copy.pass(ignore, fail)).toMatchObject({ created: 0, updated: 1, endedInTarget: 1 });
    expect(plain(await target.load(full.id))).toEqual(plain(await source.load(full.id)));
    await source.end(full.id, killed());
    await source.end(killedThere.id, { ...killed(), purgeAt: 0 });
    expect(await new SessionCopy(source, target).pass(ignore, fail)).toMatchObject({ created: 0, ended: 1 });
    expect(await target.load(full.id)).toBeUndefined();
    expect(await target.load(killedThere.id)).toBeUndefined();
  });

  it("ends what a killer ends meanwhile, while a writer writes", async () => {
    const [source, target] = [new MemoryStore({ now: () => 0 }), await every.open({ now: () => 0 })];
    const records = Array.from({ length: 60 }, () => sessionRecord());
    for (const record of records) await source.create(record);
    const copy = new SessionCopy(source, target);
    const traffic = (async () => {
      for (const [at, { id }] of records.entries()) {
        await source.update(id, { data: { set: { at: String(at) } } });
        if (at % 2 === 0) await source.end(id, { ...killed(), ...(at % 4 === 0 && { purgeAt: 0 }) });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    for (let pass = 0; pass < 3; pass += 1) await copy.pass(ignore, fail);
    await traffic;
    while (changesIn(await copy.pass(ignore, fail)) > 0);
    for (const { id } of records) expect(plain(await target.load(id))).toEqual(plain(await source.load(id)));
  });
});

describe("coatcheck copy", () => {
  const cli = commandLine();

  it("copies all sessions, names what can't be read, and has nothing to do the second time", async () => {
    const path = join(cli.folder(), "old");
    const store = new SqliteStore({ path });
    const [sound, damaged] = [sessionRecord(), sessionRecord()];
    for (const record of [sound, damaged]) await store.create(record);
    await store.close();
    inFile(path, (db) => db.prepare("UPDATE session SET data = '{' WHERE id = ?").run(damaged.id));
    const copied = await cli.run(["copy", "--from", "sqlite:old", "--to", "sqlite:new", "--json"]);
    expect(copied).toMatchObject({ code: 1, stderr: expect.stringContaining(damaged.id) });
    expect(JSON.parse(copied.stdout)).toMatchObject({ passes: 2, created: 1, unreadable: 1, failed: 0 });
    const again = await cli.run(["copy", "--from", "sqlite:old", "--to", "sqlite:new"]);
    expect(again.stdout).toBe("0 sessions copied, 0 updated, 0 ended, 1 unreadable, in 1 pass.\n");
  });

  it("refuses the same store, and repeats no password", async () => {
    const address = "redis://alice:s3cret@127.0.0.1:6379";
    const { code, stderr } = await cli.run(["copy", "--from", address, "--to", "redis://127.0.0.1/0"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("the same store")]);
    expect(stderr).not.toContain("s3cret");
  });
});
