import { unfinishedKill } from "../../admin/kill-found";
import type { KillOptions } from "../../admin/kill-options";
import type { Sessions } from "../../sessions";
import type { Command, CommandCall } from "../command";
import { COMMON_OPTIONS, PROJECT_OPTION, USER_OPTION } from "../common-options";
import { confirmed } from "../confirmed";
import { counted } from "../counted";
import { EXIT_CODE } from "../exit-code";
import { killInProject } from "./kill-in-project";
import { killTarget } from "./kill-target";
import type { KillTarget } from "./kill-target";
import { printable, printableJson } from "../printable";
import { UsageError } from "../usage-error";
import { withProgress } from "../with-progress";
import { withSessions } from "../with-sessions";

/** `coatcheck kill`: ends sessions, by id, by user, by project, or all. They are ended by nobody in particular. */
export const kill: Command = {
  summary: "ends sessions: by id, of a user, of a project, or all",
  details: "Without ids and options it asks, and ends everyone's.",
  operands: "[<id>...]",
  options: {
    user: USER_OPTION,
    project: PROJECT_OPTION,
    all: { type: "boolean", help: "everyone's, without asking" },
    message: { type: "string", value: "TEXT", help: "what the app may show to whose session it was" },
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

/** Fails where one of them is not live: it may be mistyped. The others are ended all the same. */
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

/** Enough to tell which it was. The whole of what is no session's id may be a token. */
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

/** How many there are about; undefined where only reading them could tell. */
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
