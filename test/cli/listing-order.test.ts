import type { SessionInfo } from "../../lib/admin/listing/session-info";
import { sortedSessions } from "../../lib/cli/listing/session-order";
import { sessionRecord } from "../support/session-records";
import { describeOnEveryPlace } from "./every-place";

const HOUR = 3_600_000;

describeOnEveryPlace("the order of coatcheck list", ({ store, coatcheck }) => {
  const at = (hours: number) => Date.now() - hours * HOUR;
  const records = {
    first: sessionRecord({ owner: "carol", createdAt: at(4), lastSeenAt: at(0.1), remoteAddress: "203.0.113.9" }),
    second: sessionRecord({ owner: "alice", createdAt: at(3), lastSeenAt: at(0.3), remoteAddress: "203.0.113.8" }),
    third: sessionRecord({ owner: "bob", createdAt: at(2), lastSeenAt: at(0.2), remoteAddress: "203.0.113.7" }),
  };
  beforeEach(async () => {
    for (const record of Object.values(records)) await store().create(record);
  });

  async function order(...args: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await coatcheck("list", "--json", ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as SessionInfo).username);
  }

  it("is what --sort says: names from A to Z, instants from the latest on", async () => {
    expect(await order("--sort", "user")).toEqual(["alice", "bob", "carol"]);
    expect(await order("--sort", "created")).toEqual(["bob", "alice", "carol"]);
    expect(await order("--sort", "seen")).toEqual(["carol", "bob", "alice"]);
    expect(await order("--sort", "address")).toEqual(["bob", "alice", "carol"]);
  });

  it("is the newest first with --newest, of which --limit takes the first", async () => {
    expect(await order("--newest")).toEqual(["bob", "alice", "carol"]);
    expect(await order("--newest", "--limit", "2")).toEqual(["bob", "alice"]);
    const { stdout } = await coatcheck("list", "--newest", "--limit", "1");
    expect(stdout.split("\n").slice(1)).toEqual([expect.stringContaining(records.third.id), ""]);
  });

  it("is the latest end first among those that ended", async () => {
    const ends = [records.second, records.first, records.third];
    for (const [hours, { id }] of ends.entries()) {
      const endedAt = at(hours);
      await store().end(id, { endedAt, reason: "killed", endedBy: null, purgeAt: at(-24) });
    }
    expect(await order("--ended", "--sort", "ended")).toEqual(["alice", "carol", "bob"]);
  });
});

it("the first of very many are those that come first of all", async () => {
  async function* many() {
    for (let number = 0; number < 50_000; number += 1) {
      yield { id: String(number), createdAt: new Date((number * 7_919) % 50_000) } as SessionInfo;
    }
  }
  const first = await sortedSessions(many(), "created", 3);
  expect(first.map(({ createdAt }) => createdAt.getTime())).toEqual([49_999, 49_998, 49_997]);
});

it("sessions of one rank are in the order of their ids", async () => {
  async function* three() {
    for (const id of ["c", "a", "b"]) yield { id, username: "alice" } as SessionInfo;
  }
  expect((await sortedSessions(three(), "user")).map(({ id }) => id)).toEqual(["a", "b", "c"]);
});
