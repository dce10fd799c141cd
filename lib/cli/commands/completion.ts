import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { completionScript, SHELLS } from "../completion-script";
import type { Shell } from "../completion-script";
import { alternatives } from "../parsed-arguments";
import { UsageError } from "../usage-error";

/** `coatcheck completion SHELL`: prints what makes a shell complete these commands and their options. */
export function completion(commands: () => ReadonlyMap<string, Command>): Command {
  return {
    summary: "prints a script that makes a shell complete coatcheck's commands and options",
    details: `bash: add this line to ~/.bashrc:  source <(npx coatcheck completion bash)
zsh:  add this line to ~/.zshrc, after compinit:  source <(npx coatcheck completion zsh)
fish: npx coatcheck completion fish > ~/.config/fish/completions/coatcheck.fish
It completes the word coatcheck: for a package that is not installed globally, alias coatcheck="npx coatcheck".`,
    operands: SHELLS.join("|"),
    operandValues: SHELLS,
    options: {},
    async run({ args, output }) {
      const [shell, ...others] = args.operands;
      if (!isShell(shell) || others.length > 0) {
        throw new UsageError(`coatcheck completion takes the name of one shell: ${alternatives(SHELLS)}.`);
      }
      await output.write(completionScript(shell, commands()));
      return EXIT_CODE.ok;
    },
  };
}

function isShell(name: string | undefined): name is Shell {
  return SHELLS.some((shell) => shell === name);
}
