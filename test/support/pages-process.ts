import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";
import { startPagesApp } from "./pages-app";

/** A server with pages on the folder that its argument names, whose clock is ahead by as many milliseconds as it is told. It tells its port. */
let ahead = 0;
process.on("message", (milliseconds: number) => {
  ahead = milliseconds;
  process.send?.("ahead");
});
process.once("disconnect", () => process.exit());

void (async () => {
  const now = () => Date.now() + ahead;
  const store = new SqliteStore({ path: process.argv[2] ?? "", now });
  const app = await startPagesApp({ store, now, killCheckInterval: 1000 });
  process.send?.(app.port);
})();
