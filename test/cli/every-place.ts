import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatastoreStore } from "../../lib/stores/datastore-store";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import type { SessionStore } from "../../lib/stores/store";
import { commandLine } from "../support/command-line";
import type { CommandResult } from "../support/command-line";
import { describeOnEmulator, emulatorHost } from "../support/datastore-emulator";

/** A place that another process can look into, empty for each test. */
export interface Place {
  /** What an app keeps there. */
  readonly store: () => SessionStore;
  /** Runs `coatcheck` where that app runs. */
  readonly coatcheck: (...args: string[]) => Promise<CommandResult>;
}

/** Runs a suite on every store that several processes share. */
export function describeOnEveryPlace(name: string, body: (place: Place) => void): void {
  describe(`${name}, on SqliteStore`, () => {
    const cli = commandLine();
    body(
      placeOf(
        () => new SqliteStore({ path: join(cli.folder(), ".sessions") }),
        (args) => cli.run(args),
      ),
    );
  });
  describeOnEmulator(`${name}, on DatastoreStore`, () => {
    const cli = commandLine();
    let projectId: string;
    beforeEach(() => (projectId = `demo-cli-${randomBytes(6).toString("hex")}`));
    body(
      placeOf(
        () => new DatastoreStore({ projectId, emulatorHost: emulatorHost() }),
        (args) => cli.run(args, { DATASTORE_PROJECT_ID: projectId, DATASTORE_EMULATOR_HOST: emulatorHost() }),
      ),
    );
  });
}

function placeOf(open: () => SessionStore, run: (args: string[]) => Promise<CommandResult>): Place {
  let store: SessionStore;
  beforeEach(() => void (store = open()));
  afterEach(() => store.close());
  return { store: () => store, coatcheck: (...args) => run(args) };
}
