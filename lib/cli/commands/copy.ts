import { realpathSync } from "node:fs";
import { SessionError } from "../../errors";
import { placeOf, storeAt } from "../../options/store-by-environment";
import type { StorePlace } from "../../options/store-by-environment";
import type { SessionStore } from "../../stores/store";
import { EXIT_CODE } from "../command";
import type { Command, CommandCall } from "../command";
import { UsageError } from "../command-arguments";
import { changesIn, noCounts, SessionCopy } from "../copy/session-copy";
import type { PassCounts } from "../copy/session-copy";
import { counted, printableJson } from "../printed-text";
import { withProgress } from "../terminal";
import { assertThere, folderOf } from "../with-sessions";

const ADDRESS_FORMS = "redis://…, rediss://…, postgres://…, sqlite:DIR or datastore:";

/** `coatcheck copy`: copies every session from one store to another. */
export const copy: Command = {
  summary: "copies live and ended sessions from one store to another, again and again until nothing has changed",
  details: `It may run while the app uses the source, and again at any time; one at a time. What has ended in either of the
two does not become live in the target. It fails where a session could not be read or copied, and names it.`,
  options: {
    from: { type: "string", value: "ADDRESS", help: `where the sessions are: ${ADDRESS_FORMS}` },
    to: { type: "string", value: "ADDRESS", help: "where they shall be, in the same forms" },
    once: { type: "boolean", help: "goes through all of them once only" },
    json: { type: "boolean", help: "prints JSON" },
  },
  async run(call) {
    call.args.assertNoOperands("copy");
    const [from, to] = [placeIn(call, "from"), placeIn(call, "to")];
    if (identityOf(from) === identityOf(to)) throw new UsageError("--from and --to name the same store.");
    if (from.kind === "sqlite") assertThere(folderOf(from));
    const source = storeAt(from, {});
    try {
      const target = storeAt(to, { now: () => 0 });
      try {
        return await copyAll(call, source, target);
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  },
};

async function copyAll(call: CommandCall, source: SessionStore, target: SessionStore): Promise<number> {
  const work = new SessionCopy(source, target);
  const sum = noCounts();
  let last: PassCounts;
  let passes = 0;
  do {
    last = await copyOnce(call, work, (passes += 1));
    for (const outcome of ["created", "updated", "ended"] as const) sum[outcome] += last[outcome];
  } while (!call.args.flag("once") && changesIn(last) > 0);
  const unreadable = await tellUnreadable(call, source);
  const { created, updated, ended } = sum;
  const { endedInTarget, newerInTarget, failed } = last;
  const told = { passes, created, updated, ended, endedInTarget, newerInTarget, failed, unreadable };
  await call.output.line(call.args.flag("json") ? printableJson(told) : textOf(told));
  return failed + unreadable === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
}

async function copyOnce({ streams, notes }: CommandCall, work: SessionCopy, pass: number): Promise<PassCounts> {
  const tallies = streams.stderr.isTTY === true ? await work.source.tally(Date.now()) : [];
  const total = tallies.reduce((sum, { live }) => sum + live, 0);
  const failures: string[] = [];
  try {
    return await withProgress(streams, { doing: `copying, pass ${pass}`, total }, (done) =>
      work.pass(done, (id, error) => failures.push(`coatcheck: the session ${id} was not copied: ${reasonOf(error)}`)),
    );
  } finally {
    for (const failure of failures) await notes.line(failure);
  }
}

/** Names the sessions of the source that can't be read. Resolves to their number. */
async function tellUnreadable({ notes }: CommandCall, source: SessionStore): Promise<number> {
  let count = 0;
  for await (const { id } of source.findUnreadable?.({}) ?? []) {
    count += 1;
    await notes.line(`coatcheck: the session ${id} can't be read, and was not copied.`);
  }
  return count;
}

function textOf(told: Omit<PassCounts, "same"> & { readonly passes: number; readonly unreadable: number }): string {
  const { passes, created, updated, ended, endedInTarget, newerInTarget, failed, unreadable } = told;
  const left = [
    [endedInTarget, "ended in the target"],
    [newerInTarget, "newer in the target"],
    [failed, "failed"],
    [unreadable, "unreadable"],
  ] as const;
  const more = left.flatMap(([count, what]) => (count === 0 ? [] : [`, ${count} ${what}`])).join("");
  return `${counted(created, "session")} copied, ${updated} updated, ${ended} ended${more}, in ${passes === 1 ? "1 pass" : `${passes} passes`}.`;
}

function reasonOf(error: unknown): string {
  return error instanceof SessionError ? error.code : "an unexpected error";
}

function placeIn({ args }: CommandCall, name: "from" | "to"): StorePlace {
  const address = args.text(name);
  if (address === undefined || address === "") throw new UsageError(`--${name} takes an address: ${ADDRESS_FORMS}.`);
  return placeOf(address, `--${name}`);
}

/** The same text for the same store, whoever signs in to it. */
function identityOf(place: StorePlace): string {
  if (place.kind === "datastore") return place.kind;
  if (place.kind === "sqlite") return `sqlite ${realFolder(folderOf(place))}`;
  const { hostname, port, pathname, search } = new URL(place.url);
  const host = hostname === "localhost" ? "127.0.0.1" : hostname;
  if (place.kind === "redis") return `redis ${host}:${port || "6379"}${pathname.replace(/^\/?0?$/, "")}`;
  const { schema = "public", table = "coatcheck_session" } = place;
  return JSON.stringify(["postgres", host, port || "5432", pathname, host === "" ? search : "", schema, table]);
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
