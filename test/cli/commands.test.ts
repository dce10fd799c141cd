import { CLEAR_GRACE_MS } from "../../lib/record/expiry";
import { GUEST_USER } from "../../lib/record/session-record";
import type { SessionRecord } from "../../lib/record/session-record";
import { newToken, sessionIdOf } from "../../lib/record/token";
import { killed, sessionRecord } from "../support/session-records";
import { describeOnEveryPlace } from "./every-place";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const UNKNOWN_ID = "u".repeat(43);

describeOnEveryPlace("coatcheck on the command line", ({ store, coatcheck, spawned }) => {
  /** Two of alice, one of them in the shop; one of bob in the shop; a guest's; and an expired one of carol. */
  async function seeded() {
    const over = { lastSeenAt: Date.now() - 2 * HOUR, expiresAt: Date.now() - HOUR };
    const records = {
      alice: sessionRecord({ owner: "alice", remoteAddress: "203.0.113.7", data: { pin: '"a stored value"' } }),
      aliceInShop: sessionRecord({ owner: "alice", project: "shop" }),
      bobInShop: sessionRecord({ owner: "bob", project: "shop" }),
      guest: sessionRecord({ owner: GUEST_USER }),
      expired: sessionRecord({ owner: "carol", ...over }),
    };
    for (const record of Object.values(records)) await store().create(record);
    return records;
  }

  async function listed(...args: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await coatcheck("list", "--json", ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return jsonLines(stdout).map(({ id }) => String(id));
  }

  const isLive = async (record: SessionRecord) => (await store().load(record.id)) !== undefined;
  const liveOf = async (records: readonly SessionRecord[]) => Promise.all(records.map(isLive));

  it("lists every live session once, and none that is over", async () => {
    const { alice, aliceInShop, bobInShop, guest } = await seeded();
    const { code, stdout, stderr } = await coatcheck("list");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [header, ...lines] = stdout.trim().split("\n");
    expect(header).toMatch(/^ID +USER +PROJECT +SCOPE +ADDRESS +DEVICE +CREATED +LAST SEEN +PAGES$/);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(idsOf(alice, aliceInShop, bobInShop, guest));
    expect(lines.find((line) => line.startsWith(alice.id))).toMatch(/ alice +- +browser +203\.0\.113\.7 +test +20/);
  });

  it("prints the same in a process of its own, which ends by itself", async () => {
    const { alice } = await seeded();
    expect(await spawned("stats", "--json")).toEqual(await coatcheck("stats", "--json"));
    const ids = jsonLines((await spawned("list", "--json", "--user", "alice")).stdout).map(({ id }) => String(id));
    expect(ids).toEqual(await listed("--user", "alice"));
    expect(await spawned("kill", alice.id)).toMatchObject({ code: 0, stdout: "1 session ended.\n" });
    expect(await isLive(alice)).toBe(false);
  });

  it("lists by user and project", async () => {
    const { alice, aliceInShop, bobInShop, guest } = await seeded();
    expect(await listed("--user", "alice")).toEqual(idsOf(alice, aliceInShop));
    expect(await listed("--project", "shop")).toEqual(idsOf(aliceInShop, bobInShop));
    expect(await listed("--project", "shop", "--user", "alice")).toEqual([aliceInShop.id]);
    expect(await listed("--project", "")).toEqual(idsOf(alice, guest));
    expect(await listed("--user", "Unauthenticated")).toEqual([guest.id]);
    expect(await listed("--user", GUEST_USER)).toEqual([guest.id]);
    expect(await listed("--limit", "2")).toHaveLength(2);
  });

  it("P6: prints no stored value, and nothing that only the app can know", async () => {
    const { alice } = await seeded();
    for (const args of [["list"], ["list", "--json"], ["show", alice.id], ["show", alice.id, "--json"]]) {
      expect((await coatcheck(...args)).stdout).not.toContain("a stored value");
    }
    const [line] = jsonLines((await coatcheck("list", "--json", "--user", "alice", "--project", "")).stdout);
    expect(line).toMatchObject({ id: alice.id, username: "alice", clientAddress: "203.0.113.7", endedAt: null });
    expect(line).not.toHaveProperty("authorized");
  });

  it("lists sessions that ended lately, with why, when and by whom", async () => {
    const { alice, expired } = await seeded();
    await store().end(alice.id, killed());
    const { stdout } = await coatcheck("list", "--ended");
    expect(stdout.split("\n")[0]).toMatch(/ENDED +REASON +BY$/);
    expect(stdout).toMatch(new RegExp(`${alice.id} .* killed +admin\n`));
    expect(stdout).toMatch(new RegExp(`${expired.id} .* expired +-\n`));
  });

  it("shows a session while it is live, and when it has ended", async () => {
    const { alice } = await seeded();
    const live = await coatcheck("show", alice.id);
    expect(live).toMatchObject({ code: 0, stderr: "" });
    expect(live.stdout).toMatch(/^user +alice$/m);
    expect(live.stdout).toMatch(/^expires +20/m);
    await store().end(alice.id, killed());
    const { stdout } = await coatcheck("show", alice.id);
    expect(stdout).toMatch(/^reason +killed$/m);
    expect(stdout).toMatch(/^ended by +admin$/m);
    expect(stdout).not.toMatch(/^expires/m);
  });

  it("tells how many pages are open, and which: their paths and titles are one line of text each", async () => {
    const now = Date.now();
    const record = sessionRecord({
      owner: "dora",
      pages: {
        "page-one-00000000": { path: "/cart", title: "Cart\u001b[2J", openedAt: now - 60_000, seenAt: now },
        "page-two-00000000": { path: "/", title: "", openedAt: now, seenAt: now },
        "page-old-00000000": { path: "/gone", title: "Gone", openedAt: 0, seenAt: now - 90_000 },
      },
    });
    const other = sessionRecord({ owner: "dora" });
    for (const each of [record, other]) await store().create(each);
    const [, ...lines] = (await coatcheck("list", "--user", "dora")).stdout.trim().split("\n");
    expect(lines.find((line) => line.startsWith(record.id))).toMatch(/ 2$/);
    expect(lines.find((line) => line.startsWith(other.id))).toMatch(/ 0$/);

    const { stdout, code } = await coatcheck("show", record.id);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^open pages +2$/m);
    expect(stdout).toMatch(
      /\n\nPAGE +TITLE +OPEN SINCE +LAST SEEN\n\/cart +Cart\S+\[2J +20\S+ \S+ +20\S+ \S+\n\/ +- +20/,
    );
    expect(stdout).not.toContain("/gone");
    expect(stdout).not.toContain("\u001b");
    expect((await coatcheck("show", other.id)).stdout).not.toContain("PAGE");

    const [json] = jsonLines((await coatcheck("show", record.id, "--json")).stdout);
    expect(json).toMatchObject({ activePages: 2, pages: [{ id: "page-one-00000000", path: "/cart" }, { path: "/" }] });
    expect(jsonLines((await coatcheck("list", "--json", "--user", "dora")).stdout)).toContainEqual(
      expect.objectContaining({ id: record.id, pageIds: ["page-one-00000000", "page-two-00000000"] }),
    );
  });

  it("says that there is no such session, without a stack trace", async () => {
    await seeded();
    const { code, stdout, stderr } = await coatcheck("show", UNKNOWN_ID);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "coatcheck: There is no session with this id, and none that ended lately. (SESSION_NOT_FOUND)\n",
    );
  });

  it("P6: does not repeat a token that is given in the place of an id", async () => {
    const token = newToken();
    await store().create(sessionRecord({ id: sessionIdOf(token) }));
    const calls = [
      ["show", token],
      ["kill", token],
      ["kill", "--json", token],
      ["kill", `sid=${token}`],
      ["stats", token],
    ];
    for (const call of [...calls, ["show", `${token}.${newToken()}`], [token], ["list", "--limit", token]]) {
      const { code, stdout, stderr } = await coatcheck(...call);
      expect(code).not.toBe(0);
      expect(stdout + stderr).not.toContain(token);
    }
  });

  it("takes ids that begin with dashes", async () => {
    const ids = ["-", "--"].map((dashes) =>
      sessionRecord({ id: sessionRecord().id.replace(/^.{2}/, dashes.padEnd(2, "a")) }),
    );
    for (const record of ids) await store().create(record);
    const [one, two] = ids as [SessionRecord, SessionRecord];
    expect(await coatcheck("show", one.id)).toMatchObject({ code: 0 });
    expect(await coatcheck("kill", "--json", two.id, one.id)).toMatchObject({
      code: 0,
      stdout: '{"ended":2,"notLive":[]}\n',
    });
    expect(await liveOf(ids)).toEqual([false, false]);
  });

  it("P2: kills the sessions of these ids and no others", async () => {
    const { alice, aliceInShop, bobInShop, guest } = await seeded();
    expect(await coatcheck("kill", alice.id, guest.id, alice.id)).toMatchObject({
      ...{ code: 0, stdout: "2 sessions ended.\n" },
    });
    expect(await liveOf([alice, guest, aliceInShop, bobInShop])).toEqual([false, false, true, true]);
  });

  it("fails where one of the ids is not live, and kills the others", async () => {
    const { alice, expired } = await seeded();
    const { code, stdout, stderr } = await coatcheck("kill", UNKNOWN_ID, expired.id, alice.id);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "1 session ended.\n" });
    expect(stderr.replace(/^\{.*\n/gm, "")).toBe(
      [UNKNOWN_ID, expired.id].map((id) => `coatcheck: no session with the id ${id.slice(0, 8)}… is live.\n`).join(""),
    );
    expect(await isLive(alice)).toBe(false);
  });

  it("P2: kills a user's sessions and no others, with a message and no endedBy", async () => {
    const { alice, aliceInShop, bobInShop, guest } = await seeded();
    const answer = await coatcheck("kill", "--user", "alice", "--message", "Please sign in again.");
    expect(answer).toMatchObject({ code: 0, stdout: "2 sessions ended.\n" });
    expect(await liveOf([alice, aliceInShop, bobInShop, guest])).toEqual([false, false, true, true]);
    const [shown] = jsonLines((await coatcheck("show", "--json", alice.id)).stdout);
    expect(shown).toMatchObject({ endReason: "killed", endedBy: null, endMessage: "Please sign in again." });
  });

  it("P2: kills the sessions of a project, or of one user in it, and no others", async () => {
    const { alice, aliceInShop, bobInShop, guest } = await seeded();
    expect((await coatcheck("kill", "--user", "alice", "--project", "shop")).stdout).toBe("1 session ended.\n");
    expect(await liveOf([aliceInShop, alice, bobInShop])).toEqual([false, true, true]);
    expect((await coatcheck("kill", "--project", "shop", "--json")).stdout).toBe('{"ended":1}\n');
    expect(await liveOf([bobInShop, alice, guest])).toEqual([false, true, true]);
  });

  it("kills guests' sessions, and everyone's", async () => {
    const { alice, aliceInShop, bobInShop, guest } = await seeded();
    expect((await coatcheck("kill", "--user", "Unauthenticated")).stdout).toBe("1 session ended.\n");
    expect(await liveOf([guest, alice])).toEqual([false, true]);
    expect((await coatcheck("kill", "--all", "--yes")).stdout).toBe("3 sessions ended.\n");
    expect(await liveOf([alice, aliceInShop, bobInShop])).toEqual([false, false, false]);
    expect(await coatcheck("kill", "--all", "--yes")).toMatchObject({ code: 0, stdout: "0 sessions ended.\n" });
  });

  it.each([
    ["without a filter", []],
    ["of everyone's without a terminal to ask at", ["--all"]],
    ["with yes, and without a filter", ["--yes"]],
    ["with an empty user, as of an unset variable", ["--user", ""]],
    ["with an empty project", ["--project", ""]],
    ["with everyone's and a user's at once", ["--all", "--user", "alice"]],
    ["with everyone's and an id", ["--all", UNKNOWN_ID]],
    ["with an id and a user", [UNKNOWN_ID, "--user", "alice"]],
    ["with what is no id", ["alice"]],
    ["with a message that can't be kept", ["--all", "--yes", "--message", "x".repeat(501)]],
    ["by a name that can't be kept", ["--all", "--yes", "--by", "x".repeat(1025)]],
  ])("P2: kills nothing %s", async (_, args) => {
    const records = Object.values(await seeded());
    const { code, stdout, stderr } = await coatcheck("kill", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^coatcheck: .+\n$/);
    expect(await liveOf(records)).toEqual(records.map(() => true));
  });

  it("clears sessions that are over, and nothing else", async () => {
    const { alice } = await seeded();
    const purgeAt = Date.now() - CLEAR_GRACE_MS - 1_000;
    const over = { createdAt: purgeAt - DAY, lastSeenAt: purgeAt - DAY, expiresAt: purgeAt - HOUR, purgeAt };
    for (let count = 0; count < 3; count += 1) await store().create(sessionRecord(over));
    expect(await coatcheck("clear")).toEqual({ code: 0, stdout: "3 records deleted.\n", stderr: "" });
    expect(await coatcheck("clear", "--json")).toEqual({ code: 0, stdout: '{"cleared":0}\n', stderr: "" });
    expect(await isLive(alice)).toBe(true);
  });

  it("counts by project and scope, signed in and guests", async () => {
    await seeded();
    await store().create(sessionRecord({ owner: "cron", scope: "clientless" }));
    const { code, stdout } = await coatcheck("stats");
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["PROJECT", "SCOPE", "SIGNED IN", "GUESTS", "LIVE"],
      ["-", "browser", "1", "1", "2"],
      ["-", "clientless", "1", "0", "1"],
      ["shop", "browser", "2", "0", "2"],
      ["all", "-", "4", "1", "5"],
      [""],
    ]);
    expect(JSON.parse((await coatcheck("stats", "--json", "--project", "shop")).stdout)).toEqual({
      ...{ live: 2, signedIn: 2, guests: 0 },
      groups: [{ project: "shop", scope: "browser", live: 2, signedIn: 2, guests: 0 }],
    });
  });
});

function idsOf(...records: SessionRecord[]): string[] {
  return records.map(({ id }) => id).sort();
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
