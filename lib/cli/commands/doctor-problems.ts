import { APPLICATION_ID, SCHEMA_VERSION } from "../../stores/sqlite/tables/schema";
import type { FileReport } from "../../stores/sqlite/file/file-report";
import { counted, sizeText } from "../printed-text";

/** Something wrong with a session file, and how to mend it; both may have several lines. */
export interface Problem {
  readonly problem: string;
  readonly fix: string;
}

/** In bytes. A WAL starts over at 8 MiB; one this large is kept from it. */
const LARGE_WAL = 64 * 1024 * 1024;
/** A clearing job that runs leaves fewer records due than this share of all, or than `MANY_DUE`. */
const DUE_SHARE = 0.1;
const MANY_DUE = 10_000;

/** Counts the live sessions again, in the sqlite3 tool. */
const RECOUNT = `BEGIN IMMEDIATE; DELETE FROM tally; INSERT INTO tally SELECT project, scope, owner IS '__guest__', expires_bucket, count(*) FROM session GROUP BY 1, 2, 3, 4; COMMIT`;

/** All that is wrong, the worst first. */
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
    problem: `The file can't be read: ${said}.`,
    fix: `Run this as the user that the app runs as, who must be able to write to ${folder}. Check that the disk works and is not full.`,
  }));
}

function foreign({ header, folder, path }: FileReport): Problem[] {
  if (header === null) return [];
  if (header.isEmpty) {
    return [
      {
        problem: "There is nothing in the file, not even tables: it is new, or was emptied.",
        fix: `Restore the newest backup (coatcheck backup --help says how), or start the app, which starts with no sessions.`,
      },
    ];
  }
  if (header.applicationId !== APPLICATION_ID) {
    return [
      {
        problem: "The file is an SQLite database, but not a session file.",
        fix: `Give the app a folder other than ${folder}, or move ${path} elsewhere.`,
      },
    ];
  }
  if (header.layout === SCHEMA_VERSION) return [];
  return [
    {
      problem: `The file has layout ${header.layout}; this version of coatcheck knows ${SCHEMA_VERSION}.`,
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
        "Stop the app, and keep a copy of the folder. Then do one of these, the best first:",
        "1. Restore the newest backup; coatcheck backup --help says how.",
        `2. Rescue what can be read, and restore that like a backup: ${recover}`,
        "   SQLite's own sqlite3 tool has .recover; the one of some Linux distributions does not.",
        `3. Delete ${folder}. Everyone is signed out.`,
      ].join("\n"),
    },
  ];
}

function unreadable({ unreadable }: FileReport): Problem[] {
  if (unreadable === null || unreadable.count === 0) return [];
  return [
    {
      problem: [`${counted(unreadable.count, "session")} can't be read:`, ...unreadable.examples].join("\n"),
      fix: "End them (npx coatcheck kill, with their ids), or wait until they are cleared. Visitors whose session is damaged are signed out.",
    },
  ];
}

function miscounted({ counts, path }: FileReport): Problem[] {
  if (counts === null || counts.live === counts.liveRows) return [];
  return [
    {
      problem: `The count of live sessions is ${counts.live}, but there are ${counts.liveRows}: statistics are wrong.`,
      fix: `Count again: sqlite3 ${shellWord(path)} "${RECOUNT}"`,
    },
  ];
}

function network({ fileSystem, folder }: FileReport): Problem[] {
  if (fileSystem?.isNetwork !== true) return [];
  return [
    {
      problem: `${folder} is on ${fileSystem.name}, a network file system, where SQLite loses data.`,
      fix: "Stop the app, copy the folder to a local disk, and give SqliteStore the new path.",
    },
  ];
}

function open({ modes }: FileReport): Problem[] {
  const paths = [...modes].filter(([, mode]) => (mode & 0o077) !== 0).map(([path]) => path);
  return paths.map((path) => {
    const mode = path === [...modes.keys()][0] ? "700" : "600";
    return { problem: `${path} is open to other users of this machine.`, fix: `chmod ${mode} ${shellWord(path)}` };
  });
}

function largeWal({ walBytes }: FileReport): Problem[] {
  if (walBytes <= LARGE_WAL) return [];
  return [
    {
      problem: `The WAL has grown to ${sizeText(walBytes)}: its changes are not copied to the file.`,
      fix: "If the app is not running, start it. Otherwise end whatever has been reading the file for a long time: a backup, or an sqlite3 tool.",
    },
  ];
}

function uncleared({ counts, folder }: FileReport): Problem[] {
  if (counts === null || counts.due < MANY_DUE || counts.due < counts.all * DUE_SHARE) return [];
  return [
    {
      problem: `${counts.due} of ${counts.all} records should have been deleted by now.`,
      fix: `Check that the app's clearing job runs (clearSchedule), or run: npx coatcheck clear --path ${shellWord(folder)}`,
    },
  ];
}

/** A path as one word of a shell command. */
function shellWord(path: string): string {
  return /^[\w./:\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
