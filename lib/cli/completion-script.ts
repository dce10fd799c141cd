import type { Command } from "./command";
import { HELP_OPTION } from "./command-arguments";
import type { CommandOption } from "./parsed-arguments";

type Commands = ReadonlyMap<string, Command>;

const SCRIPTS = { bash, zsh, fish } as const;

export type Shell = keyof typeof SCRIPTS;
export const SHELLS = Object.keys(SCRIPTS) as readonly Shell[];

/** A script that makes a shell complete `coatcheck`: its commands, their options, and the values and files of those. */
export function completionScript(shell: Shell, commands: Commands): string {
  return SCRIPTS[shell](commands);
}

function bash(commands: Commands): string {
  const options = [...commands].map(([name, command]) => `      ${name}) words=${word(flagsOf(command).join(" "))} ;;`);
  const values = [...commands].flatMap(([name, command]) =>
    withValue(command).map(([option, spec]) => `    "${name} --${option}") ${bashValue(spec)}; return ;;`),
  );
  return `_coatcheck() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${word([...commands.keys(), "--help", "--version"].join(" "))} -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]} $before" in
${values.join("\n")}
  esac
  if [ "\${word:0:1}" = - ]; then
    case "\${COMP_WORDS[1]}" in
${options.join("\n")}
    esac
  else
    case "\${COMP_WORDS[1]}" in
${operandsOf(commands)
  .map(([name, operand]) => `      ${name}) ${bashValue(operand)}; return ;;`)
  .join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _coatcheck coatcheck
`;
}

function bashValue({ value, values }: Value): string {
  const action = values === undefined ? (FILES[value] ?? { bash: "" }).bash : `-W ${word(values.join(" "))}`;
  return action === "" ? ":" : `COMPREPLY=($(compgen ${action} -- "$word"))`;
}

function zsh(commands: Commands): string {
  const cases = [...commands].map(([name, command]) => {
    const options = Object.entries(allOptions(command)).map(([option, spec]) => {
      const value = spec.type === "string" ? `:${spec.value}:${zshValue(spec)}` : "";
      return word(`--${option}[${zshText(spec.help)}]${value}`);
    });
    const operands = operandsOf(new Map([[name, command]])).map(([, of]) => word(`*:${of.value}:${zshValue(of)}`));
    return `    ${name}) _arguments ${[...options, ...operands].join(" ")} ;;`;
  });
  return `#compdef coatcheck
_coatcheck() {
  local -a commands
  commands=(
${[...commands].map(([name, { summary }]) => `    ${word(`${name}:${zshText(summary)}`)}`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join("\n")}
  esac
}
compdef _coatcheck coatcheck
`;
}

function zshValue({ value, values }: Value): string {
  return values === undefined ? (FILES[value] ?? { zsh: "" }).zsh : `(${values.join(" ")})`;
}

/** Brackets and colons have a meaning in a specification. */
function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&");
}

function fish(commands: Commands): string {
  const names = [...commands].map(
    ([name, { summary }]) => `complete -c coatcheck -n __fish_use_subcommand -a ${name} -d ${fishWord(summary)}`,
  );
  const details = [...commands].flatMap(([name, command]) => {
    const line = `complete -c coatcheck -n ${fishWord(`__fish_seen_subcommand_from ${name}`)}`;
    const options = Object.entries(allOptions(command)).map(([option, spec]) => {
      const value = spec.type === "string" ? ` -x ${fishValue(spec)}` : "";
      return `${line} -l ${option}${value} -d ${fishWord(spec.help)}`;
    });
    return [
      ...options,
      ...operandsOf(new Map([[name, command]])).map(([, operand]) => `${line} ${fishValue(operand)}`),
    ];
  });
  return `${["complete -c coatcheck -f", ...names, ...details].join("\n")}\n`;
}

function fishValue({ value, values }: Value): string {
  if (values !== undefined) return `-a ${fishWord(values.join(" "))}`;
  return (FILES[value] ?? { fish: "" }).fish;
}

/** What an option or an operand may be. */
type Value = Pick<Extract<CommandOption, { type: "string" }>, "value" | "values">;

/** How a shell completes a file or a folder, by what the help calls it. */
const FILES: Readonly<Record<string, Readonly<Record<Shell, string>>>> = {
  DIR: { bash: "-d", zsh: "_directories", fish: "-a '(__fish_complete_directories)'" },
  FILE: { bash: "-f", zsh: "_files", fish: "-F" },
};

/** The commands whose operand a shell can complete. */
function operandsOf(commands: Commands): (readonly [string, Value])[] {
  return [...commands].flatMap(([name, { operands, operandValues: values }]) => {
    if (operands === undefined || (values === undefined && FILES[operands] === undefined)) return [];
    return [[name, values === undefined ? { value: operands } : { value: operands, values }] as const];
  });
}

function allOptions({ options }: Command): Readonly<Record<string, CommandOption>> {
  return { ...options, help: HELP_OPTION };
}

function withValue(command: Command) {
  return Object.entries(allOptions(command)).flatMap(([name, spec]) =>
    spec.type === "string" ? [[name, spec] as const] : [],
  );
}

function flagsOf(command: Command): string[] {
  return Object.keys(allOptions(command)).map((name) => `--${name}`);
}

/** A text as one word of bash and of zsh. */
function word(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishWord(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
