import { ownerOfUsername } from "../../admin/listing/session-filter";
import type { CommandArguments } from "../command-arguments";
import { UsageError } from "../usage-error";
import { usernameArgument } from "../username-argument";

/** Whose sessions are to be ended. */
export type KillTarget =
  | { readonly of: "ids"; readonly ids: readonly string[] }
  | { readonly of: "user"; readonly owner: string }
  | { readonly of: "project"; readonly project: string; readonly username: string | undefined }
  /** `isSure`: everyone's were named by `--all`, and need no question. */
  | { readonly of: "everyone"; readonly isSure: boolean };

/** Throws `UsageError` for what contradicts itself, and for empty names, as those of unset variables are. */
export function killTarget(args: CommandArguments): KillTarget {
  const ids = args.sessionIds();
  const username = usernameArgument(args);
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
