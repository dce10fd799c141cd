import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { runCommand } from "../../lib/cli/run-command";
import { DatastoreStore } from "../../lib/stores/datastore/datastore-store";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { PostgresStore } from "../../lib/stores/postgres/postgres-store";
import type { SessionStore } from "../../lib/stores/store";
import { commandLine } from "../support/command-line";
import type { CommandResult } from "../support/command-line";
import { describeOnEmulator, emulatorHost } from "../support/datastore-emulator";
import { describeOnPostgres, dropSchema, freshSchema, postgresUrl } from "../support/postgres-server";

/** A store that another process can open, empty for each test. */
export interface Place {
  /** The app's store. */
  readonly store: () => SessionStore;
  /** Runs `coatcheck` where that app runs. */
  readonly coatcheck: (...args: string[]) => Promise<CommandResult>;
  /** Runs it in a process of its own. */
  readonly spawned: (...args: string[]) => Promise<CommandResult>;
}

/** Runs a suite on every store that several processes share. */
export function describeOnEveryPlace(name: string, body: (place: Place) => void): void {
  describe(`${name}, on SqliteStore`, () => {
    const cli = commandLine();
    body(
      placeOf(
        () => new SqliteStore({ path: join(cli.folder(), ".sessions") }),
        (args) => runHere(args, cli.folder()),
        (args) => cli.run(args),
      ),
    );
  });
  describeOnEmulator(`${name}, on DatastoreStore`, () => {
    const cli = commandLine();
    let projectId: string;
    const variables = () => ({ DATASTORE_PROJECT_ID: projectId, DATASTORE_EMULATOR_HOST: emulatorHost() });
    beforeEach(() => (projectId = `demo-cli-${randomBytes(6).toString("hex")}`));
    body(
      placeOf(
        () => new DatastoreStore({ projectId, emulatorHost: emulatorHost() }),
        (args) => runHere(args, cli.folder(), variables()),
        (args) => cli.run(args, variables()),
      ),
    );
  });
  describeOnPostgresPlace(name, body);
}

/** Runs the suite on PostgresStore, a schema for each test. */
function describeOnPostgresPlace(name: string, body: (place: Place) => void): void {
  describeOnPostgres(`${name}, on PostgresStore`, () => {
    const cli = commandLine();
    let schema: string;
    const variables = () => ({ COATCHECK_STORE: `${postgresUrl()}?schema=${schema}` });
    beforeEach(() => void (schema = freshSchema()));
    body(
      placeOf(
        () => new PostgresStore({ url: postgresUrl(), schema }),
        (args) => runHere(args, cli.folder(), variables()),
        (args) => cli.run(args, variables()),
      ),
    );
    afterEach(() => dropSchema(schema));
  });
}

/**
 * Does what a process in this folder and with these variables would do. Starting one for each command would take
 * minutes.
 */
async function runHere(args: string[], folder: string, variables: Record<string, string> = {}): Promise<CommandResult> {
  const [stdin, stdout, stderr] = [new PassThrough().end(), new PassThrough(), new PassThrough()] as const;
  const told = Promise.all([text(stdout), text(stderr)]);
  const before = process.cwd();
  process.chdir(folder);
  Object.assign(process.env, variables);
  try {
    const code = await runCommand(args, { stdin, stdout, stderr });
    for (const stream of [stdout, stderr]) stream.end();
    const [toStdout, toStderr] = await told;
    return { code, stdout: toStdout, stderr: toStderr };
  } finally {
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name);
    process.chdir(before);
  }
}

type Run = (args: string[]) => Promise<CommandResult>;

function placeOf(open: () => SessionStore, run: Run, spawn: Run): Place {
  let store: SessionStore;
  beforeEach(() => void (store = open()));
  afterEach(() => store.close());
  return { store: () => store, coatcheck: (...args) => run(args), spawned: (...args) => spawn(args) };
}
