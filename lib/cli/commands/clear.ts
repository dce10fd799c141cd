import { EXIT_CODE } from "../command";
import type { Command } from "../command";
import { COMMON_OPTIONS } from "../command-arguments";
import { counted, printableJson } from "../printed-text";
import { withProgress } from "../terminal";
import { withSessions } from "../with-sessions";

/** `coatcheck clear`: deletes sessions past their `purgeAt`. */
export const clear: Command = {
  summary: "deletes sessions that ended more than keepEnded ago, as the clearing job does",
  details: "Live sessions, and those that ended less than keepEnded ago, are left alone.",
  options: COMMON_OPTIONS,
  async run({ args, streams, output }) {
    args.assertNoOperands("clear");
    return withSessions(args, async (sessions) => {
      const cleared = await withProgress(streams, { doing: "deleting" }, (done) => sessions.clearSessions(done));
      await output.line(args.flag("json") ? printableJson({ cleared }) : `${counted(cleared, "record")} deleted.`);
      return EXIT_CODE.ok;
    });
  },
};
