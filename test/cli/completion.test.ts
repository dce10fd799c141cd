import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../../lib/cli/commands/command-list";
import { completionScript } from "../../lib/cli/completion-script";
import type { Shell } from "../../lib/cli/completion-script";
import { describeWhereProgramIs } from "../support/where-program-is";

function describeIn(shell: Shell, body: (program: string, script: () => string) => void): void {
  describeWhereProgramIs(shell, `coatcheck completion ${shell}`, (program) => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "coatcheck-completion-"));
      writeFileSync(join(folder, "script"), completionScript(shell, COMMANDS));
      writeFileSync(join(folder, "backup.db"), "");
    });
    afterAll(() => rmSync(folder, { recursive: true }));
    body(program, () => join(folder, "script"));
  });
}

const TYPED: [line: string, words: string[]][] = [
  ["coatcheck ki", ["kill"]],
  ["coatcheck co", ["copy", "completion"]],
  ["coatcheck list --ne", ["--newest"]],
  ["coatcheck kill --y", ["--yes"]],
  ["coatcheck list --sort cr", ["created"]],
  ["coatcheck completion f", ["fish"]],
  ["coatcheck backup back", ["backup.db"]],
];

describeIn("bash", (program, script) => {
  it.each(TYPED)("completes %j", (line, words) => {
    const typed = line.split(" ");
    const code = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _coatcheck; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const args = ["--norc", "-c", code, script(), ...typed];
    const told = execFileSync(program, args, { encoding: "utf8", cwd: join(script(), "..") });
    expect(told.trim().split("\n").sort()).toEqual([...words].sort());
  });

  it("completes every command and every option", () => {
    for (const [name, { options }] of COMMANDS) {
      const code = `source "$0"; COMP_WORDS=(coatcheck ${name} --); COMP_CWORD=2; _coatcheck; echo "\${COMPREPLY[@]}"`;
      const told = execFileSync(program, ["--norc", "-c", code, script()], { encoding: "utf8" });
      expect(told.trim().split(" ")).toEqual([...Object.keys(options), "help"].map((option) => `--${option}`));
    }
  });
});

describeIn("fish", (program, script) => {
  it.each(TYPED)("completes %j", (line, words) => {
    const code = `source ${script()}; complete -C ${JSON.stringify(line)}`;
    const told = execFileSync(program, ["--no-config", "-c", code], { encoding: "utf8", cwd: join(script(), "..") });
    const completed = told
      .trim()
      .split("\n")
      .map((each) => each.split("\t")[0]);
    expect(completed.sort()).toEqual([...words].sort());
  });
});

describeIn("zsh", (program, script) => {
  it.each(TYPED.filter(([, words]) => words.length === 1))("completes %j", (line, [word]) => {
    // What a person types, with a Tab, in a terminal of zsh's own; the command prints what it is called with.
    const setUp = `autoload -U compinit; compinit -D -u; source ${script()}; cd ${join(script(), "..")}`;
    const code = `
      zmodload zsh/zpty
      zpty z ${program} -f -i
      zpty -w z ${JSON.stringify(`${setUp}; coatcheck() { print -r -- "<$argv[-1]>" }; print re''ady`).replaceAll("$", "\\$")}
      zpty -r -m z told '*ready*'
      zpty -n -w z $'${line}\t\n'
      zpty -r -m z told '*<*>*'
      print -r -- $told
      zpty -d z`;
    const { stdout, stderr } = spawnSync(program, ["-f", "-c", code], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(/<([^>]*)>/.exec(stdout)?.[1]).toBe(word);
  });
});
