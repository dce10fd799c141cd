import { join } from "node:path";
import { SqliteStore } from "../../../lib/stores/sqlite/sqlite-store";
import { commandLine } from "../../support/command-line";
import { inFile } from "../../support/sqlite-checks";
import { sessionRecord } from "../../support/session-records";

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
