import type { Command } from "./command";
import { HELP_OPTION } from "./command-arguments";

/** The text of `coatcheck --help`. */
export function overviewText(commands: ReadonlyMap<string, Command>): string {
  return [
    "usage: coatcheck <command> [options]",
    "",
    ...aligned([...commands].map(([name, { summary }]) => [name, summary])),
    "",
    "Sessions are looked for where the app of this environment keeps them: in the store that COATCHECK_STORE names; if",
    "it is not set, in Datastore where DATASTORE_PROJECT_ID, DATASTORE_EMULATOR_HOST, or the variables of Cloud Run or",
    "App Engine are set; otherwise in ./.sessions.",
    "coatcheck <command> --help explains the command; coatcheck --version prints the version.",
  ].join("\n");
}

/** The text of `coatcheck <name> --help`. */
export function helpText(name: string, { summary, details, operands, options }: Command): string {
  const all = Object.entries({ ...options, help: HELP_OPTION });
  return [
    `usage: coatcheck ${name} ${operands === undefined ? "" : `${operands} `}[options]`,
    "",
    `It ${summary}.`,
    ...(details === undefined ? [] : [details]),
    "",
    ...aligned(
      all.map(([option, spec]) => [`--${option}${spec.type === "string" ? ` ${spec.value}` : ""}`, spec.help]),
    ),
  ].join("\n");
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}
