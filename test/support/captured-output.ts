import { inspect } from "node:util";

/** All that this process logs while a test runs. */
export interface CapturedOutput {
  readonly text: () => string;
  readonly stop: () => void;
}

/**
 * Collects what goes to the console, to stdout and stderr, and to `process.emitWarning`, and lets none of it through.
 */
export function captureOutput(): CapturedOutput {
  const parts: string[] = [];
  const keep = (...args: unknown[]) => void parts.push(args.map((arg) => format(arg)).join(" "));
  const spies = [
    ...(["log", "info", "warn", "error", "debug", "trace"] as const).map((name) =>
      jest.spyOn(console, name).mockImplementation(keep),
    ),
    jest.spyOn(process, "emitWarning").mockImplementation(keep),
    ...[process.stdout, process.stderr].map((stream) =>
      jest.spyOn(stream, "write").mockImplementation((chunk: unknown) => {
        keep(chunk);
        return true;
      }),
    ),
  ];
  return {
    text: () => parts.join("\n"),
    stop: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

function format(value: unknown): string {
  return typeof value === "string" ? value : inspect(value, { depth: 8, showHidden: true });
}
