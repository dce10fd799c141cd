import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HELP_OPTION } from "../../lib/cli/command-arguments";
import { COMMANDS } from "../../lib/cli/commands/command-list";
import { codeBlocks } from "./code-blocks";
import type { CodeBlock } from "./code-blocks";
import { ROOT } from "./documents";

const { scripts: OWN_SCRIPTS } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};
/** Options that the command line has beside those of its commands. */
const GLOBAL_OPTIONS = new Set(["--help", "-h", "--version", "-v", "help"]);
/** What ends a command in a shell, and what leads its output elsewhere. */
const COMMAND_ENDS = /\s(?:&&|\|\|?|;|&|\d?>>?)\s|\s(?:&&|\|\|?|;|&)$|[)`]\s*$/;

/** What is wrong with the commands of a block of `sh`: an `npx coatcheck` or a script of npm that doesn't exist. */
export function wrongCommands(block: CodeBlock, text: string): string[] {
  const scripts = { ...OWN_SCRIPTS, ...readersScripts(block.document, text) };
  return block.code
    .replaceAll("\\\n", "  ")
    .split("\n")
    .flatMap((line, index) =>
      [...wrongCoatcheckCommands(line), ...wrongScripts(line, scripts)].map(
        (message) => `${block.document}:${block.line + index}: ${message}`,
      ),
    );
}

/** The same of one line, as prose has it between backticks. */
export function wrongCoatcheckCommands(line: string): string[] {
  return [...withoutComment(line).matchAll(/\bnpx (?:--\S+ )*coatcheck\b(.*)/g)].flatMap(([, rest = ""]) => {
    const end = COMMAND_ENDS.exec(rest)?.index ?? rest.length;
    const [name, ...args] = wordsOf(rest.slice(0, end));
    if (name === undefined || GLOBAL_OPTIONS.has(name)) return [];
    const command = COMMANDS.get(name);
    if (command === undefined) return [`there is no command coatcheck ${name}`];
    const options = Object.fromEntries(
      Object.entries({ ...command.options, help: HELP_OPTION }).map(([option, { type }]) => [option, { type }]),
    );
    try {
      const { positionals } = parseArgs({ args, options, allowPositionals: true });
      if (positionals.length === 0 || command.operands !== undefined) return [];
      return [`coatcheck ${name} takes options only, not ${positionals.join(" ")}`];
    } catch (error) {
      return [`coatcheck ${name}: ${(error as Error).message}`];
    }
  });
}

function wrongScripts(line: string, scripts: Readonly<Record<string, string>>): string[] {
  return [...withoutComment(line).matchAll(/\bnpm (?:run (?:--\S+ )*([\w:.-]+)|(start|test)\b)/g)]
    .map(([, run, short]) => run ?? short ?? "")
    .filter((name) => !(name in scripts))
    .map((name) => `there is no script ${name} for npm`);
}

/** The scripts of the package.json that a guide shows. */
function readersScripts(document: string, text: string): Record<string, string> {
  const manifests = codeBlocks(document, text).filter(({ language }) => language === "json");
  return Object.assign({}, ...manifests.map(({ code }) => parsed(code)?.scripts)) as Record<string, string>;
}

function parsed(code: string): { scripts?: Record<string, string> } | undefined {
  try {
    return JSON.parse(code) as { scripts?: Record<string, string> };
  } catch {
    return undefined; // That it is no JSON is told where it stands.
  }
}

function withoutComment(line: string): string {
  return line.replace(/(?:^|\s)#.*$/, "");
}

/** The words of a command as a shell would split it, without their quotes. */
function wordsOf(command: string): string[] {
  return (command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) => word.replace(/["']/g, ""));
}
