import { resolve } from "node:path";
import { backUp } from "../../stores/sqlite/file/backup";
import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS } from "../command-arguments";
import { printable, printableJson, sizeText } from "../printed-text";
import { embeddedFolderOnly } from "../with-sessions";
import { UsageError } from "../usage-error";

/** `coatcheck backup FILE`: copies the embedded store's file as of one moment, while servers write to it. */
export const backup: Command = {
  summary: "copies the embedded store to a new file, while servers use it",
  details: `The copy holds every session that was stored when it began. An existing FILE is never overwritten.

To restore it:
  1. Stop the app, all its processes.
  2. Delete sessions.db, sessions.db-wal and sessions.db-shm in the folder that holds the sessions.
  3. Copy FILE into that folder as sessions.db.
  4. Run coatcheck kill --all --yes, as the app's user: sessions that ended since the backup are live again in it.
  5. Start the app.`,
  operands: "FILE",
  options: COMMON_OPTIONS,
  async run({ args, output }) {
    const [operand, ...others] = args.operands;
    if (operand === undefined || operand === "" || others.length > 0) {
      throw new UsageError("coatcheck backup takes the name of one file, which it creates.");
    }
    const folder = embeddedFolderOnly(args, "backup");
    const file = resolve(operand);
    const bytes = backUp(folder, file);
    await output.line(
      args.flag("json") ? printableJson({ file, bytes }) : `Backed up to ${printable(file)}, ${sizeText(bytes)}.`,
    );
    return EXIT_CODE.ok;
  },
};
