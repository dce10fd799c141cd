import type { AddressInfo } from "node:net";
import express from "express";
import { Sessions } from "../../lib/sessions";
import { SqliteStore } from "../../lib/stores/sqlite/sqlite-store";

/**
 * A server whose sessions count visits, in the folder that its argument names; it reports its port, and runs until it
 * is killed.
 */
const sessions = new Sessions({ store: new SqliteStore({ path: process.argv[2] ?? "" }), clearSchedule: false });
const app = express();
app.use(sessions.middleware());
app.get("/count", (req, res) => {
  const n = Number(req.session.get("n", 0)) + 1;
  req.session.set("n", n);
  res.json({ id: req.session.id, n });
});
app.get("/login", async (req, res) => {
  await req.session.login("alice");
  req.session.set("n", 1);
  res.json({ id: req.session.id, n: 1 });
});
const server = app.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
