import { realpathSync } from "node:fs";
import { placeOf, storeAt } from "../../options/store-by-environment";
import type { StorePlace } from "../../options/store-by-environment";
import { EXIT_CODE } from "../command";
import type { Command, CommandCall } from "../command";
import { CopyReport } from "../copy/copy-report";
import { lineageOf } from "../copy/lineages";
import { SessionCopy } from "../copy/session-copy";
import { StoreSide } from "../copy/store-side";
import { printableJson } from "../printed-text";
import { withProgress } from "../terminal";
import { assertThere, folderOf, nameOf } from "../with-sessions";
import { UsageError } from "../usage-error";

const ADDRESS_FORMS = "redis://…, rediss://…, postgres://…, sqlite:DIR or datastore:";
const SAME_STORE = "--from and --to name the same store.";

/** `coatcheck copy`: copies every session from one store to another. */
export const copy: Command = {
  summary: "copies live and ended sessions from one store to another, again and again until nothing has changed",
  details: `You can run it while the app uses the source, and again at any time; two at once do no harm. What has ended in either
store does not become live in the target, and what the app has changed in the target stays ("newer in the target"). It
fails where a session could not be read or copied, and names it. All users of the machine can see the addresses: leave
out the password of PostgreSQL, and set PGPASSWORD.`,
  options: {
    from: { type: "string", value: "ADDRESS", help: `where the sessions are: ${ADDRESS_FORMS}` },
    to: { type: "string", value: "ADDRESS", help: "where to copy them, as for --from" },
    once: { type: "boolean", help: "goes through all of them once only" },
    json: { type: "boolean", help: "prints JSON" },
  },
  async run(call) {
    call.args.assertNoOperands("copy");
    const [from, to] = [placeIn(call, "from"), placeIn(call, "to")];
    if (identityOf(from) === identityOf(to)) throw new UsageError(SAME_STORE);
    if (from.kind === "sqlite") assertThere(folderOf(from));
    const source = new StoreSide(`The source, ${nameOf(from)}`, storeAt(from, {}));
    try {
      const target = new StoreSide(`The target, ${nameOf(to)}`, storeAt(to, { now: () => 0 }));
      try {
        if (await target.isSameAs(source)) throw new UsageError(SAME_STORE);
        return await copyAll(call, new SessionCopy(source, target, lineageOf(identityOf(from))), source);
      } finally {
        await target.store.close();
      }
    } finally {
      await source.store.close();
    }
  },
};

async function copyAll(call: CommandCall, work: SessionCopy, source: StoreSide): Promise<number> {
  const { args, streams, notes, output } = call;
  const report = new CopyReport();
  try {
    do {
      if (report.passes > 0) await notes.line(report.passText());
      const listener = report.startPass();
      const total = streams.stderr.isTTY === true ? await source.size() : 0;
      const doing = `copying, pass ${report.passes}`;
      await withProgress(streams, { doing, total }, (onProgress) =>
        work.pass({ ...listener, onProgress }, report.counts),
      );
    } while (!args.flag("once") && !work.isSettled(report.counts));
    for await (const { id } of source.findUnreadable()) await notes.line(report.unreadableText(id));
  } catch (error) {
    for (const line of report.brokenOffLines()) await notes.line(line);
    throw error;
  }
  for (const line of report.leftLines()) await notes.line(line);
  if (work.isSourceEmpty) await notes.line(`coatcheck: ${source.name}, has no sessions; check that --from is right.`);
  await output.line(args.flag("json") ? printableJson(report.total()) : report.totalText());
  return report.isComplete ? EXIT_CODE.ok : EXIT_CODE.failure;
}

function placeIn({ args }: CommandCall, name: "from" | "to"): StorePlace {
  const address = args.text(name);
  if (address === undefined || address === "") throw new UsageError(`--${name} takes an address: ${ADDRESS_FORMS}.`);
  return placeOf(address, `--${name}`);
}

/** The same text for the same store, whoever signs in to it. */
function identityOf(place: StorePlace): string {
  if (place.kind === "datastore") return nameOf(place);
  if (place.kind === "sqlite") return `sqlite ${realFolder(folderOf(place))}`;
  const { hostname, port, pathname, search } = new URL(place.url);
  const host = hostname === "localhost" ? "127.0.0.1" : hostname;
  if (place.kind === "redis") {
    const { prefix = "coatcheck" } = place;
    return JSON.stringify(["redis", host, port || "6379", pathname.replace(/^\/?0?$/, ""), prefix]);
  }
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
