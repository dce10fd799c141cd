import { createInterface } from "node:readline";
import type { Streams } from "./command";

/** Asks a person to type "yes" or the number that they were told. Anything else, and the end of the input, is a no. */
export async function confirmed({ stdin, stderr }: Streams, question: string, count: number): Promise<boolean> {
  stderr.write(question);
  // Not as a terminal: then Ctrl-C would be a key like others, and not end the process.
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.once("line", resolve).once("close", () => resolve(""));
    });
    return answer.trim().toLowerCase() === "yes" || answer.trim() === String(count);
  } finally {
    lines.close();
  }
}
