import { unfinishedKill } from "../../admin/kill-loop";
import type { KillOptions } from "../../admin/kill";
import { ownerOfUsername } from "../../admin/listing/session-filter";
import type { Sessions } from "../../sessions";
import { EXIT_CODE } from "../command";
import type { Command, CommandCall } from "../command";
import { COMMON_OPTIONS, PROJECT_OPTION, USER_OPTION, UsageError } from "../command-arguments";
import type { CommandArguments } from "../command-arguments";
import { counted, printable, printableJson } from "../printed-text";
import { confirmed, withProgress } from "../terminal";
import { withSessions } from "../with-sessions";

/** How many sessions are ended at once. */
const CONCURRENCY = 32;

/** The sessions to end. */
type KillTarget =
  | { readonly of: "ids"; readonly ids: readonly string[] }
  | { readonly of: "user"; readonly owner: string }
  | { readonly of: "project"; readonly project: string; readonly username: string | undefined }
  /** `isSure`: `--all` was given, so nobody is asked. */
  | { readonly of: "everyone"; readonly isSure: boolean };

/** `coatcheck kill`: ends sessions, by id, by user, by project, or all. `endedBy` is null then. */
export const kill: Command = {
  summary: "ends sessions: by id, of a user, of a project, or all",
  details: "Without ids and options it ends everyone's sessions, after asking.",
  operands: "[<id>...]",
  options: {
    user: USER_OPTION,
    project: PROJECT_OPTION,
    all: { type: "boolean", help: "all sessions, without asking" },
    message: { type: "string", value: "TEXT", help: "a message that the app may show to the user" },
    ...COMMON_OPTIONS,
  },
  async run(call) {
    const { args, streams } = call;
    const target = killTarget(args);
    if (target.of === "everyone" && !target.isSure && streams.stdin.isTTY !== true) {
      throw new UsageError("Which sessions? Give ids, --user, --project, or --all.");
    }
    return withSessions(args, async (sessions, place) => {
      if (target.of === "ids") return killByIds(call, sessions, target.ids);
      if (target.of === "everyone" && !target.isSure && !(await isMeant(call, sessions, place))) {
        await call.notes.line("Nothing was ended.");
        return EXIT_CODE.failure;
      }
      return tellEnded(call, await killFound(call, sessions, target));
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
  if (ids.length > 0) return { of: "ids", ids };
  if (project !== undefined) return { of: "project", project, username };
  if (username !== undefined) return { of: "user", owner: ownerOfUsername(username) };
  return { of: "everyone", isSure: isAll };
}

/** Fails where one of them is not live, since its id may be mistyped; the others are ended nevertheless. */
async function killByIds(call: CommandCall, sessions: Sessions, ids: readonly string[]): Promise<number> {
  const notLive: string[] = [];
  let ended = 0;
  for (const id of ids) {
    const isEnded = await sessions.kill(id, killOptions(call)).catch((error: unknown) => {
      throw unfinishedKill(error, ended);
    });
    if (isEnded) ended += 1;
    else notLive.push(beginningOf(id));
  }
  await tellEnded(call, ended, { notLive });
  for (const id of notLive) await call.notes.line(`coatcheck: no session with the id ${id} is live.`);
  return notLive.length === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
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

async function killFound(call: CommandCall, sessions: Sessions, target: Exclude<KillTarget, { of: "ids" }>) {
  const total = call.streams.stderr.isTTY === true ? await totalOf(sessions, target) : undefined;
  const progress = { doing: "ending", ...(total === undefined ? {} : { total }) };
  return withProgress(call.streams, progress, (done) => {
    let ended = 0;
    sessions.on("ended", () => done((ended += 1)));
    return killEach(sessions, target, killOptions(call));
  });
}

function killEach(sessions: Sessions, target: Exclude<KillTarget, { of: "ids" }>, options: KillOptions) {
  if (target.of === "everyone") return sessions.killAllSessions(options);
  if (target.of === "user") return sessions.killSessionByUser(target.owner, options);
  const { project, username } = target;
  return killInProject(sessions, { project, ...(username === undefined ? {} : { username }) }, options);
}

/**
 * Ends the sessions of a project, or those of one user in it, and repeats until a listing finds none. Resolves to how
 * many it ended.
 */
export async function killInProject(
  sessions: Sessions,
  filter: { readonly project: string; readonly username?: string },
  options: KillOptions,
): Promise<number> {
  let ended = 0;
  for (;;) {
    let found = 0;
    let ids: string[] = [];
    const kill = async () => {
      const outcomes = await Promise.allSettled(ids.map((id) => sessions.kill(id, options)));
      ended += outcomes.filter((outcome) => outcome.status === "fulfilled" && outcome.value).length;
      const failed = outcomes.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) throw failed.reason;
      ids = [];
    };
    try {
      for await (const { id } of sessions.eachSessionInfo(filter)) {
        found += 1;
        if (ids.push(id) === CONCURRENCY) await kill();
      }
      await kill();
    } catch (error) {
      throw unfinishedKill(error, ended);
    }
    if (found === 0) return ended;
  }
}

/** About how many there are; undefined where only reading them could tell. */
async function totalOf(sessions: Sessions, target: KillTarget): Promise<number | undefined> {
  if (target.of === "everyone") return liveCount(sessions);
  return target.of === "project" && target.username === undefined ? liveCount(sessions, target.project) : undefined;
}

async function liveCount(sessions: Sessions, project?: string): Promise<number> {
  const counts = (await sessions.tally()).filter((tally) => (project ?? tally.project) === tally.project);
  return counts.reduce((sum, { live }) => sum + live, 0);
}

function killOptions({ args }: CommandCall): KillOptions {
  const message = args.text("message");
  return message === undefined ? {} : { message };
}

async function tellEnded({ args, output }: CommandCall, ended: number, more: object = {}): Promise<number> {
  await output.line(args.flag("json") ? printableJson({ ended, ...more }) : `${counted(ended, "session")} ended.`);
  return EXIT_CODE.ok;
}
