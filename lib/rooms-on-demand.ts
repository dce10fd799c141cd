/* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports -- an import at the top would load them with the package */

/** The clearing job and its cron expressions. Like the other rooms here, not every process needs it, so it is loaded when one does. */
export function clearJobRoom() {
  return require("./jobs/clear-job") as typeof import("./jobs/clear-job");
}

/** Sessions without a client. */
export function clientlessRoom() {
  return require("./clientless/clientless-sessions") as typeof import("./clientless/clientless-sessions");
}
