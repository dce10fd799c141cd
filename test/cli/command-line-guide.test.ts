import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT_CODE } from "../../lib/cli/command";
import { CommandArguments, HELP_OPTION } from "../../lib/cli/command-arguments";
import { COMMANDS } from "../../lib/cli/commands/command-list";

const GUIDE = readFileSync(join(__dirname, "../../docs/command-line.md"), "utf8");

/** The lines of shell in a text that run `coatcheck`, each as the words after it. */
function callsIn(text: string): string[][] {
  const blocks = [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block!);
  return [...blocks.join("").matchAll(/\bnpx coatcheck ([^\n]*)/g)].map(([, call]) =>
    [...call!.replace(/ *(#|\||>|2>>|\)).*/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, word]) => quoted ?? word!,
    ),
  );
}

describe("docs/command-line.md", () => {
  it.each([...COMMANDS.keys()])("has a section about %s, with an example", (name) => {
    const [, section = ""] = new RegExp(`^### ${name}\n([^]*?)(?=^##)`, "m").exec(GUIDE) ?? [];
    expect(callsIn(section).some(([first]) => first === name)).toBe(true);
  });

  it("has no section about a command that there is not", () => {
    const named = [...GUIDE.matchAll(/^### (.+)$/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...COMMANDS.keys()].sort());
  });

  it("has examples whose options there are", () => {
    const calls = callsIn(GUIDE).filter(([name]) => !name!.startsWith("-"));
    expect(calls.length).toBeGreaterThan(20);
    for (const [name, ...args] of calls) {
      const { options } = COMMANDS.get(name!)!;
      expect(() => new CommandArguments(name!, args, { ...options, help: HELP_OPTION })).not.toThrow();
    }
  });

  it("has every exit code, and every word that --sort takes", () => {
    const [, codes = ""] = /^## Exit codes\n([^]*)/m.exec(GUIDE) ?? [];
    for (const code of Object.values(EXIT_CODE)) expect(codes).toContain(`\n| ${code} |`);
    const sort = COMMANDS.get("list")?.options.sort;
    const words = sort?.type === "string" ? (sort.values ?? []) : [];
    expect(words.length).toBeGreaterThan(5);
    for (const word of words) expect(GUIDE).toContain(`\`${word}\``);
  });
});
