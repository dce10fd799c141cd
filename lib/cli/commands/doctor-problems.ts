import { APPLICATION_ID, SCHEMA_VERSION } from "../../stores/sqlite/tables/schema";
import type { FileReport } from "../../stores/sqlite/file/file-report";
import { counted } from "../counted";
import { sizeText } from "../size-text";

/** Something that is wrong with a session file, and what can be done about it; both may have several lines. */
export interface Problem {
  readonly problem: string;
  readonly fix: string;
}

/** From so many bytes on, something keeps the WAL from starting over: it does at 8 MiB. */
const LARGE_WAL = 64 * 1024 * 1024;
/** A clearing job leaves fewer than these: a tenth of all that is stored, and of few records all. */
const DUE_SHARE = 0.1;
const MANY_DUE = 10_000;

/** What counts live sessions anew, for the sqlite3 tool. */
const RECOUNT = `BEGIN IMMEDIATE; DELETE FROM tally; INSERT INTO tally SELECT project, scope, owner IS '__guest__', expires_bucket, count(*) FROM session GROUP BY 1, 2, 3, 4; COMMIT`;

/** What is wrong, the worst first. */
export function problemsOf(report: FileReport): Problem[] {
  return [
    ...unopened(report),
    ...foreign(report),
    ...damage(report),
    ...unreadable(report),
    ...miscounted(report),
    ...network(report),
    ...open(report),
    ...largeWal(report),
    ...uncleared(report),
  ];
}

function unopened({ hindrances, folder }: FileReport): Problem[] {
  return hindrances.map((said) => ({
    problem: `The file can't be looked into: ${said}.`,
    fix: `Run this as the user that the app runs as, who must be able to write to ${folder}, and see that the disk has room and works.`,
  }));
}

function foreign({ header, folder, path }: FileReport): Problem[] {
  if (header === null) return [];
  if (header.isEmpty) {
    return [
      {
        problem: "There is nothing in the file, no tables either: it is new, or was emptied.",
        fix: `Restore the newest backup (coatcheck backup --help says how), or start the app, which begins anew.`,
      },
    ];
  }
  if (header.applicationId !== APPLICATION_ID) {
    return [
      {
        problem: "The file is of SQLite, and not a session file.",
        fix: `Give the app another folder than ${folder}, or move ${path} elsewhere.`,
      },
    ];
  }
  if (header.layout === SCHEMA_VERSION) return [];
  return [
    {
      problem: `The file has layout ${header.layout}, and this version of coatcheck knows ${SCHEMA_VERSION}.`,
      fix: "Upgrade coatcheck: npm install coatcheck@latest",
    },
  ];
}

function damage({ faults, folder, path }: FileReport): Problem[] {
  if (faults.length === 0) return [];
  const recover = `sqlite3 ${shellWord(path)} ".recover --ignore-freelist" | sqlite3 rescued.db`;
  return [
    {
      problem: ["The file is damaged. SQLite says:", ...faults].join("\n"),
      fix: [
        "Stop the app, and keep a copy of the folder. Then one of these, the best first:",
        "1. Restore the newest backup; coatcheck backup --help says how.",
        `2. Rescue what can be read, and restore that like a backup: ${recover}`,
        "   SQLite's own sqlite3 tool has .recover; that of some distributions lacks it.",
        `3. Delete ${folder}. Everybody is signed out.`,
      ].join("\n"),
    },
  ];
}

function unreadable({ unreadable }: FileReport): Problem[] {
  if (unreadable === null || unreadable.count === 0) return [];
  return [
    {
      problem: [`${counted(unreadable.count, "session")} can't be read:`, ...unreadable.examples].join("\n"),
      fix: "End them, npx coatcheck kill with their ids, or wait until they are cleared. Those that are damaged sign their visitors out.",
    },
  ];
}

function miscounted({ counts, path }: FileReport): Problem[] {
  if (counts === null || counts.live === counts.liveRows) return [];
  return [
    {
      problem: `The count of live sessions says ${counts.live}, and there are ${counts.liveRows}: statistics are wrong.`,
      fix: `Count again: sqlite3 ${shellWord(path)} "${RECOUNT}"`,
    },
  ];
}

function network({ fileSystem, folder }: FileReport): Problem[] {
  if (fileSystem?.isNetwork !== true) return [];
  return [
    {
      problem: `${folder} is on ${fileSystem.name}, a file system of another machine, where SQLite loses data.`,
      fix: "Stop the app, copy the folder to a disk of this machine, and give SqliteStore its path.",
    },
  ];
}

function open({ modes }: FileReport): Problem[] {
  const paths = [...modes].filter(([, mode]) => (mode & 0o077) !== 0).map(([path]) => path);
  return paths.map((path) => {
    const mode = path === [...modes.keys()][0] ? "700" : "600";
    return { problem: `${path} is not for its owner alone.`, fix: `chmod ${mode} ${shellWord(path)}` };
  });
}

function largeWal({ walBytes }: FileReport): Problem[] {
  if (walBytes <= LARGE_WAL) return [];
  return [
    {
      problem: `The WAL has ${sizeText(walBytes)}: what was written is not copied to the file.`,
      fix: "Where no process of the app runs, start it. Otherwise end what has been reading the file for long: a backup, or an sqlite3 tool.",
    },
  ];
}

function uncleared({ counts, folder }: FileReport): Problem[] {
  if (counts === null || counts.due < MANY_DUE || counts.due < counts.all * DUE_SHARE) return [];
  return [
    {
      problem: `${counts.due} of ${counts.all} records are over and not deleted.`,
      fix: `See that the app's clearing job runs (clearSchedule), or run: npx coatcheck clear --path ${shellWord(folder)}`,
    },
  ];
}

/** A path as a shell takes it for one word. */
function shellWord(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
