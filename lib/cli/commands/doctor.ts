import { basename } from "node:path";
import { fileReport } from "../../stores/sqlite/file/file-report";
import type { FileReport } from "../../stores/sqlite/file/file-report";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS } from "../command-arguments";
import { partLines, printable, printableJson, sizeText } from "../printed-text";
import { embeddedFolderOnly } from "../with-sessions";
import { problemsOf } from "./doctor-problems";
import type { Problem } from "./doctor-problems";

/** `coatcheck doctor`: says what is wrong with the embedded store's file, and how to mend it. */
export const doctor: Command = {
  summary: "checks the file of the embedded store, and says how to mend what is wrong",
  details:
    "It reads the whole file and changes nothing; servers may go on using it. The exit code is 1 where something is wrong.",
  options: COMMON_OPTIONS,
  async run({ args, output }) {
    args.assertNoOperands("doctor");
    const report = fileReport(embeddedFolderOnly(args, "doctor"), Date.now());
    const problems = problemsOf(report);
    await output.line(args.flag("json") ? printableJson(jsonOf(report, problems)) : textOf(report, problems));
    return problems.length === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
  },
};

function jsonOf(report: FileReport, problems: readonly Problem[]) {
  const { path, bytes, walBytes, driver, sqliteVersion, header, counts, unreadable } = report;
  return {
    ok: problems.length === 0,
    path,
    bytes,
    walBytes,
    modes: Object.fromEntries(Array.from(report.modes, ([of, mode]) => [of, octal(mode)])),
    fileSystem: report.fileSystem?.name ?? null,
    sqlite: { version: sqliteVersion, driver },
    layout: header?.layout ?? null,
    live: counts?.live ?? null,
    ended: counts?.ended ?? null,
    due: counts?.due ?? null,
    unreadable: unreadable?.count ?? null,
    check: checkOf(report),
    problems,
  };
}

function textOf(report: FileReport, problems: readonly Problem[]): string {
  const { fileSystem, header, counts, unreadable } = report;
  const parts = partLines({
    file: report.path,
    size: `${sizeText(report.bytes)}, and ${sizeText(report.walBytes)} in its WAL`,
    modes: Array.from(report.modes, ([path, mode]) => `${octal(mode)} ${basename(path)}`).join(", ") || null,
    "file system": fileSystem === undefined ? null : `${fileSystem.name}; SQLite needs a disk of this machine`,
    SQLite: `${report.sqliteVersion}, of ${report.driver}`,
    layout: header === null ? null : header.layout,
    live: counts === null ? null : counts.live,
    ended: counts === null ? null : counts.ended,
    "due for clearing": counts === null ? null : counts.due,
    unreadable: unreadable === null ? null : unreadable.count,
    check: checkOf(report) ?? "not done",
  });
  if (problems.length === 0) return `${parts}\n\nNothing is wrong.`;
  return [parts, ...problems.map(({ problem, fix }) => `wrong: ${indented(problem)}\n   do: ${indented(fix)}`)].join(
    "\n\n",
  );
}

function checkOf({ faults, hindrances }: FileReport): "ok" | "damaged" | null {
  if (faults.length > 0) return "damaged";
  return hindrances.length > 0 ? null : "ok";
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Indents all lines but the first, so that they line up with it behind its label. */
function indented(text: string): string {
  return text.split("\n").map(printable).join("\n       ");
}
