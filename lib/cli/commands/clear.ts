import type { Command } from "../command";
import { COMMON_OPTIONS } from "../common-options";
import { counted } from "../counted";
import { EXIT_CODE } from "../exit-code";
import { printableJson } from "../printable";
import { withProgress } from "../with-progress";
import { withSessions } from "../with-sessions";

/** `coatcheck clear`: deletes what is over and no longer to be remembered. */
export const clear: Command = {
  summary: "deletes what is over, as the clearing job does",
  details: "No session that is live, or that ended less than its keepEnded ago, is touched.",
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
