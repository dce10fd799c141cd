import { parseAllDocuments } from "yaml";
import { codeBlocks } from "./code-blocks";
import type { CodeBlock } from "./code-blocks";
import { compileBlocks } from "./block-compiler";
import { wrongCommands } from "./shell-commands";

/** Languages whose blocks nothing checks here; "" is plain text, such as what a command prints. */
const UNCHECKED = new Set(["", "text", "sql", "html", "css", "diff", "dockerfile", "nginx", "toml", "ini", "promql"]);
const CHECKED = new Set(["ts", "js", "json", "sh", "yaml"]);

/** Everything that is wrong with the code blocks of a document, as `docs/redis.md:45: …`. */
export function wrongInBlocks(document: string, text: string): string[] {
  const blocks = codeBlocks(document, text);
  return [
    ...blocks.flatMap((block) => unknownLanguage(block)),
    ...compileBlocks(blocks),
    ...checked(blocks, "json").flatMap((block) => wrongJson(block)),
    ...checked(blocks, "yaml").flatMap((block) => wrongYaml(block)),
    ...checked(blocks, "sh").flatMap((block) => wrongCommands(block, text)),
  ];
}

function checked(blocks: readonly CodeBlock[], language: string): readonly CodeBlock[] {
  return blocks.filter((block) => block.language === language && block.exemption === undefined);
}

/** A block of `typescript` would escape the compiler. */
function unknownLanguage({ document, line, language }: CodeBlock): string[] {
  if (CHECKED.has(language) || UNCHECKED.has(language)) return [];
  const known = [...CHECKED, ...UNCHECKED].filter((name) => name !== "").join(", ");
  return [`${document}:${line}: no block is in the language ${language}; write one of ${known}.`];
}

function wrongJson({ document, line, code }: CodeBlock): string[] {
  try {
    JSON.parse(code);
    return [];
  } catch (error) {
    return [`${document}:${line}: ${(error as Error).message}`];
  }
}

function wrongYaml({ document, line, code }: CodeBlock): string[] {
  const errors = parseAllDocuments(code).flatMap(({ errors }) => errors);
  return errors.map(({ message }) => `${document}:${line}: ${message}`);
}
