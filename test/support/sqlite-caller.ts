import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";

/**
 * A process that calls its own SqliteStore for its parent: each message names a method and a list of argument lists,
 * all of which are called at once; the results, or the codes of the errors, go back.
 */
const store = new SqliteStore({ path: process.argv[2]! });

process.on("message", (message: { method: "create" | "update" | "end" | "replace" | "clear"; calls: unknown[][] }) => {
  const call = store[message.method].bind(store) as (...args: unknown[]) => Promise<unknown>;
  const answers = message.calls.map((args) =>
    call(...args).then(
      (answer) => answer ?? "done",
      (error: unknown) => (error as { code: string }).code,
    ),
  );
  void Promise.all(answers).then((all) => process.send!(all));
});
process.on("disconnect", () => void store.close());
process.send!("ready");
