import type { Output } from "./output";

const LINES_AT_ONCE = 200;

/** Writes lines as they come, many at a time, and resolves to how many there were. */
export async function writeLines(output: Output, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  let waiting = "";
  for await (const line of lines) {
    count += 1;
    waiting += `${line}\n`;
    if (count % LINES_AT_ONCE > 0) continue;
    await output.write(waiting);
    waiting = "";
  }
  if (waiting !== "") await output.write(waiting);
  return count;
}
