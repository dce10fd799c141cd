/** A block of code in a document. */
export interface CodeBlock {
  /** The document, as `docs/redis.md`. */
  readonly document: string;
  /** The line of the document at which the code begins, from 1. */
  readonly line: number;
  /** What stands behind the opening fence; empty where nothing does. */
  readonly language: string;
  readonly code: string;
  /** Why it is not checked, where a comment above it says so: `<!-- not compiled: … -->`. */
  readonly exemption: string | undefined;
}

const FENCE = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const EXEMPTION = /^\s*<!--\s*not compiled:\s*(\S.*?)\s*-->\s*$/;

/** The code blocks of a Markdown text, in its order. Throws where one is never closed. */
export function codeBlocks(document: string, text: string): CodeBlock[] {
  const lines = text.split("\n");
  const blocks: CodeBlock[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent = "", fence, language = ""] = FENCE.exec(lines[at]!) ?? [];
    if (fence === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === fence);
    if (end === -1) throw new Error(`${document}:${at + 1}: this block of code is never closed.`);
    blocks.push({
      document,
      line: at + 2,
      language,
      code: `${lines
        .slice(at + 1, end)
        .map((line) => withoutIndent(line, indent.length))
        .join("\n")}\n`,
      exemption: exemptionAbove(lines, at),
    });
    at = end;
  }
  return blocks;
}

/** The Markdown without its code blocks; other lines keep their numbers. */
export function withoutCodeBlocks(document: string, text: string): string {
  const lines = text.split("\n");
  for (const { line, code } of codeBlocks(document, text)) {
    const count = code.split("\n").length + 1;
    lines.fill("", line - 2, line - 2 + count);
  }
  return lines.join("\n");
}

function withoutIndent(line: string, width: number): string {
  return line.slice(0, width).trim() === "" ? line.slice(width) : line;
}

function exemptionAbove(lines: readonly string[], fenceAt: number): string | undefined {
  let at = fenceAt - 1;
  while (at >= 0 && lines[at]!.trim() === "") at -= 1;
  return EXEMPTION.exec(lines[at] ?? "")?.[1];
}
