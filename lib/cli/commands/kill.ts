import { killLoop, unfinishedKill } from "../../admin/kill-loop";
import type { KillOptions } from "../../admin/kill";
import { ownerOfUsername } from "../../admin/listing/session-filter";
import type { Sessions } from "../../sessions";
import { EXIT_CODE } from "../command";
import type { Command, CommandCall } from "../command";
import { COMMON_OPTIONS, PROJECT_OPTION, USER_OPTION } from "../command-arguments";
import type { CommandArguments } from "../command-arguments";
import { KillAudit } from "../kill-audit";
import type { KilledTarget } from "../kill-audit";
import { NO_SESSIONS } from "../listing/listed-sessions";
import { counted, printable, printableJson } from "../printed-text";
import { confirmed, withProgress } from "../terminal";
import { withSessions } from "../with-sessions";
import { UsageError } from "../usage-error";

/** The sessions to end. */
type KillTarget =
  | { readonly of: "ids"; readonly ids: readonly string[] }
  | { readonly of: "user"; readonly owner: string }
  | { readonly of: "project"; readonly project: string; readonly username: string | undefined }
  | { readonly of: "everyone" };
type FoundTarget = Exclude<KillTarget, { of: "ids" }>;

/** `coatcheck kill`: ends sessions, by id, by user, by project, or all. */
export const kill: Command = {
  summary: "ends sessions: by id, of a user, of a project, or all",
  details: `--all asks first; where nobody can be asked it needs --yes. Each kill writes a line of JSON to stderr, for an
audit: when, by whom (--by), whose sessions, how many.
The exit code is 1 where one of the ids is not live, and 3 where a user has no sessions.`,
  operands: "[<id>...]",
  options: {
    user: USER_OPTION,
    project: PROJECT_OPTION,
    all: { type: "boolean", help: "all sessions, after asking" },
    yes: { type: "boolean", help: "with --all: does not ask" },
    by: { type: "string", value: "NAME", help: "who ends them, for the audit and for whoever looks at them later" },
    message: { type: "string", value: "TEXT", help: "a message that the app may show to the user" },
    ...COMMON_OPTIONS,
  },
  async run(call) {
    const { args, streams } = call;
    const target = killTarget(args);
    const isSure = target.of !== "everyone" || args.flag("yes");
    if (!isSure && streams.stdin.isTTY !== true) {
      throw new UsageError(
        "This would sign everyone out, and nobody can be asked here; to do it, run coatcheck kill --all --yes.",
      );
    }
    return withSessions(args, async (sessions, place) => {
      if (!isSure && !(await isMeant(call, sessions, place))) {
        await call.notes.line("Nothing was ended.");
        return EXIT_CODE.failure;
      }
      return target.of === "ids" ? killByIds(call, sessions, target.ids) : killFound(call, sessions, target);
    });
  },
};

/** Throws `UsageError` for arguments that contradict each other, and for empty names, as unset variables give. */
function killTarget(args: CommandArguments): KillTarget {
  const ids = args.sessionIds();
  const username = args.username();
  const project = args.text("project");
  const isAll = args.flag("all");
  const isFiltered = username !== undefined || project !== undefined;
  if (project === "") throw new UsageError("--project takes a name here; end sessions without a project by their ids.");
  if (ids.length > 0 && (isFiltered || isAll)) {
    throw new UsageError("Give either ids, or --user and --project, or --all.");
  }
  if (isAll && isFiltered) {
    throw new UsageError("--all ends everyone's sessions; leave it out to end those of --user or --project.");
  }
  if (args.text("by") === "") throw new UsageError("--by takes a name, not an empty string.");
  if (args.flag("yes") && !isAll) throw new UsageError("--yes goes with --all; nothing else asks.");
  if (ids.length > 0) return { of: "ids", ids };
  if (project !== undefined) return { of: "project", project, username };
  if (username !== undefined) return { of: "user", owner: ownerOfUsername(username) };
  if (isAll) return { of: "everyone" };
  throw new UsageError("Which sessions? Give ids, --user, --project, or --all.");
}

/** Fails where one of them is not live, since its id may be mistyped; the others are ended nevertheless. */
async function killByIds(call: CommandCall, sessions: Sessions, ids: readonly string[]): Promise<number> {
  const audit = new KillAudit(call);
  const notLive: string[] = [];
  let ended = 0;
  let owner = "";
  sessions.on("ended", (event) => void ({ owner } = event));
  for (const id of ids) {
    const target = { action: "kill", target: beginningOf(id) } as const;
    const isEnded = await sessions.kill(id, killOptions(call)).catch(async (error: unknown) => {
      await audit.failed(target, error);
      throw unfinishedKill(error, ended);
    });
    await audit.done(isEnded ? { ...target, ...endedTarget(id, owner) } : target, isEnded ? 1 : 0);
    if (isEnded) ended += 1;
    else notLive.push(beginningOf(id));
  }
  await tellEnded(call, ended, { notLive });
  for (const id of notLive) await call.notes.line(`coatcheck: no session with the id ${id} is live.`);
  return notLive.length === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
}

/** The owner of a session that could not be read is unknown. */
function endedTarget(id: string, owner: string): Pick<KilledTarget, "target" | "targetUser"> {
  return owner === "" ? { target: id } : { target: id, targetUser: owner };
}

/** Enough to recognise it by. The whole is not repeated: where it is not an id, it may be a token. */
function beginningOf(id: string): string {
  return `${id.slice(0, 8)}…`;
}

async function isMeant({ streams }: CommandCall, sessions: Sessions, place: string): Promise<boolean> {
  const live = await liveCount(sessions);
  const question = `This ends ${counted(live, "live session")} in ${printable(place)}: everyone is signed out.\nType ${live}, or yes, to do it: `;
  return confirmed(streams, question, live);
}

async function killFound(call: CommandCall, sessions: Sessions, target: FoundTarget): Promise<number> {
  const total = call.streams.stderr.isTTY === true ? await totalOf(sessions, target) : undefined;
  const progress = { doing: "ending", ...(total === undefined ? {} : { total }) };
  const ended = await new KillAudit(call).around(auditedTarget(target), () =>
    withProgress(call.streams, progress, (done) => {
      let ended = 0;
      sessions.on("ended", () => done((ended += 1)));
      return killEach(sessions, target, killOptions(call));
    }),
  );
  await tellEnded(call, ended);
  if (ended > 0 || call.args.text("user") === undefined) return EXIT_CODE.ok;
  await call.notes.line(NO_SESSIONS);
  return EXIT_CODE.noSessions;
}

function auditedTarget(target: FoundTarget): KilledTarget {
  if (target.of === "everyone") return { action: "killAll" };
  if (target.of === "user") return { action: "killByUser", targetUser: target.owner };
  const { project, username } = target;
  const whose = username === undefined ? {} : { targetUser: ownerOfUsername(username) };
  return { action: "killByProject", project, ...whose };
}

function killEach(sessions: Sessions, target: FoundTarget, options: KillOptions) {
  if (target.of === "everyone") return sessions.killAllSessions(options);
  if (target.of === "user") return sessions.killSessionByUser(target.owner, options);
  const { project, username } = target;
  return killInProject(sessions, { project, ...(username === undefined ? {} : { username }) }, options);
}

/** Ends the sessions of a project, or those of one user in it. Resolves to how many it ended. */
export function killInProject(
  sessions: Sessions,
  filter: { readonly project: string; readonly username?: string },
  options: KillOptions,
): Promise<number> {
  return killLoop([
    {
      find: () => sessions.eachSessionInfo(filter),
      kill: async ({ id }) => ((await sessions.kill(id, options)) ? "killed" : "replaced"),
      // A listing reads in pages, between which a session that is replaced over and over may be overlooked.
      mayHaveOverlooked: async () => true,
    },
  ]);
}

/** About how many there are; undefined where only reading them could tell. */
async function totalOf(sessions: Sessions, target: FoundTarget): Promise<number | undefined> {
  if (target.of === "everyone") return liveCount(sessions);
  return target.of === "project" && target.username === undefined ? liveCount(sessions, target.project) : undefined;
}

async function liveCount(sessions: Sessions, project?: string): Promise<number> {
  const counts = (await sessions.tally()).filter((tally) => (project ?? tally.project) === tally.project);
  return counts.reduce((sum, { live }) => sum + live, 0);
}

function killOptions({ args }: CommandCall): KillOptions {
  const [message, by] = [args.text("message"), args.text("by")];
  return { ...(message === undefined ? {} : { message }), ...(by === undefined ? {} : { by }) };
}

async function tellEnded({ args, output }: CommandCall, ended: number, more: object = {}): Promise<void> {
  await output.line(args.flag("json") ? printableJson({ ended, ...more }) : `${counted(ended, "session")} ended.`);
}
