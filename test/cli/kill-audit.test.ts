import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Sessions } from "../../lib/sessions";
import { CommandArguments } from "../../lib/cli/command-arguments";
import { kill } from "../../lib/cli/commands/kill";
import { KillAudit } from "../../lib/cli/kill-audit";
import { Output } from "../../lib/cli/terminal";
import { SessionError } from "../../lib/errors";
import { MemoryStore } from "../../lib/stores/memory-store";
import { GUEST_USER } from "../../lib/record/session-record";
import { newToken } from "../../lib/record/token";
import { sessionRecord } from "../support/session-records";
import { describeOnEveryPlace } from "./every-place";

const UNKNOWN_ID = "u".repeat(43);
const APP = { app: "coatcheck kill", remoteAddress: "", at: expect.stringMatching(/^20.*Z$/) };
const DONE = { ...APP, result: "allowed", reason: null };

describeOnEveryPlace("the audit of coatcheck kill", ({ store, coatcheck }) => {
  const [alice, other, bob, guest] = [
    sessionRecord({ owner: "alice" }),
    sessionRecord({ owner: "alice" }),
    sessionRecord({ owner: "bob", project: "shop" }),
    sessionRecord({ owner: GUEST_USER, project: "shop" }),
  ];
  beforeEach(async () => {
    for (const record of [alice, other, bob, guest]) await store().create(record);
  });

  async function audited(...args: string[]) {
    const { stderr } = await coatcheck("kill", ...args);
    return linesOf(stderr);
  }

  it("has a line for each session that is named, and never a whole id that is not that of a live session", async () => {
    const token = newToken();
    const lines = await audited(alice.id, UNKNOWN_ID, token, "--by", "ops-jane");
    const same = { ...DONE, action: "kill", actor: "ops-jane", correlationId: lines[0]?.correlationId };
    expect(lines).toEqual([
      { ...same, target: alice.id, targetUser: "alice", ended: 1 },
      { ...same, target: "uuuuuuuu…", targetUser: null, ended: 0 },
      { ...same, target: `${token.slice(0, 8)}…`, targetUser: null, ended: 0 },
    ]);
    expect(same.correlationId).toMatch(/^[\da-f-]{36}$/);
  });

  it("has one line for the sessions of a user, of a project, and for everyone's", async () => {
    const actor = null;
    const correlationId = expect.any(String);
    const same = { ...DONE, actor, correlationId, target: null };
    expect(await audited("--user", "alice")).toEqual([
      { ...same, action: "killByUser", targetUser: "alice", ended: 2 },
    ]);
    expect(await audited("--project", "shop", "--user", "Unauthenticated")).toEqual([
      { ...same, action: "killByProject", targetUser: GUEST_USER, project: "shop", ended: 1 },
    ]);
    expect(await audited("--all", "--yes")).toEqual([{ ...same, action: "killAll", targetUser: null, ended: 1 }]);
    expect(await audited("--user", "alice")).toEqual([
      { ...same, action: "killByUser", targetUser: "alice", ended: 0 },
    ]);
  });

  it("says with --by who ended a session, in what is kept of it too", async () => {
    await coatcheck("kill", alice.id, "--by", "ops-jane", "--message", "Please sign in again.");
    await coatcheck("kill", "--user", "alice", "--by", "ops-jane");
    await coatcheck("kill", "--project", "shop", "--user", "bob", "--by", "ops-jane");
    await coatcheck("kill", "--all", "--yes", "--by", "ops-jane");
    for (const { id } of [alice, other, bob, guest]) {
      const [shown] = linesOf((await coatcheck("show", "--json", id)).stdout);
      expect(shown).toMatchObject({ endReason: "killed", endedBy: "ops-jane" });
    }
  });

  it("lets no name control the operator's terminal", async () => {
    const { stderr } = await coatcheck("kill", alice.id, "--by", "\u001b[2Jjane\n");
    expect(stderr.trimEnd()).toMatch(/^[^\p{Cc}\p{Cf}]*$/u);
    expect(linesOf(stderr)).toEqual([expect.objectContaining({ actor: "\u001b[2Jjane\n" })]);
  });

  it.each([[["--user", "nobody"]], [["--user", "alice", "--project", "shop"]], [["--user", "nobody", "--json"]]])(
    "exits with 3 where the user has no sessions: %j",
    async (args) => {
      const { code, stdout, stderr } = await coatcheck("kill", ...args);
      expect(code).toBe(3);
      expect(stdout).toBe(args.includes("--json") ? '{"ended":0}\n' : "0 sessions ended.\n");
      expect(stderr).toMatch(/\nThere are no such sessions\.\n$/);
    },
  );

  it("exits with 3 where a user is listed who has no sessions, and with 0 where a project has none", async () => {
    const nothing = { stdout: "", stderr: "There are no such sessions.\n" };
    expect(await coatcheck("list", "--user", "nobody")).toEqual({ code: 3, ...nothing });
    expect(await coatcheck("list", "--user", "nobody", "--json", "--newest")).toEqual({ code: 3, ...nothing });
    expect(await coatcheck("list", "--project", "nowhere")).toEqual({ code: 0, ...nothing });
    expect((await coatcheck("list", "--user", "alice")).code).toBe(0);
  });
});

describe("the audit of a kill that fails", () => {
  async function failed(action: "kill" | "killByUser", error: unknown) {
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
    const told = text(streams.stderr);
    const args = new CommandArguments("kill", ["--by", "ops-jane"], kill.options);
    const call = { args, streams, output: new Output(streams.stdout), notes: new Output(streams.stderr) };
    await expect(new KillAudit(call).around({ action }, () => Promise.reject(error as Error))).rejects.toBe(error);
    streams.stderr.end();
    return linesOf(await told);
  }

  it("says why, how many were ended until then, and that others are still live", async () => {
    const error = new SessionError("SESSION_STORE", "gone", { ended: 7 });
    const line = { result: "failed", reason: "SESSION_STORE", actor: "ops-jane", ended: 7, unfinished: true };
    expect(await failed("killByUser", error)).toEqual([expect.objectContaining(line)]);
    expect(await failed("kill", error)).toEqual([expect.not.objectContaining({ unfinished: true })]);
    const bug = [expect.objectContaining({ reason: "an unexpected error", ended: 0 })];
    expect(await failed("killByUser", new Error("a bug"))).toEqual(bug);
  });

  it("is nothing where the arguments were refused, since nothing was tried", async () => {
    expect(await failed("kill", new SessionError("SESSION_ARGUMENT", "no"))).toEqual([]);
  });
});

describe("the option by of a kill in a script", () => {
  it("is what endedBy says", async () => {
    const store = new MemoryStore();
    const sessions = new Sessions({ store, clearSchedule: false });
    const [one, two, three] = [0, 1, 2].map(() => sessionRecord({ owner: "alice" }));
    for (const record of [one!, two!]) await store.create(record);
    expect(await sessions.kill(one!.id, { by: "nightly" })).toBe(true);
    expect(await sessions.killSessionByUser("alice", { by: "nightly" })).toBe(1);
    await store.create(three!);
    expect(await sessions.killAllSessions({ by: "nightly" })).toBe(1);
    for (const { id } of [one!, two!, three!]) expect((await sessions.getSession(id)).endedBy).toBe("nightly");
    await sessions.close();
  });

  it.each([[""], [7], [null], ["\ud800"], ["x".repeat(1025)]])("refuses %j, and ends nothing", async (by) => {
    const store = new MemoryStore();
    const sessions = new Sessions({ store, clearSchedule: false });
    await store.create(sessionRecord({ owner: "alice" }));
    const options = { by } as { by: string };
    await expect(sessions.killAllSessions(options)).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    expect(await sessions.getSessionInfo()).toHaveLength(1);
    await sessions.close();
  });

  it("is refused where a person acts, who is the one that ended it", async () => {
    const sessions = new Sessions({ store: new MemoryStore(), clearSchedule: false, isSuperUser: () => true });
    const options = { by: "somebody else" } as object;
    const admin = sessions.admin({ session: await sessions.openClientlessSession("root") });
    await expect(admin.killAll(options)).rejects.toMatchObject({ code: "SESSION_ARGUMENT" });
    await sessions.close();
  });
});

function linesOf(json: string): Record<string, unknown>[] {
  return json
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
