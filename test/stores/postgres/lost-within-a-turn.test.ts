import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { Pool } from "pg";
import { PostgresStore } from "../../../lib/stores/postgres/postgres-store";
import { liveRecord } from "../../../lib/testing/store-contract/sample-records";

/** The bytes of PostgreSQL's messages AuthenticationOk and ReadyForQuery, and of an ErrorResponse with 57P01. */
const WELCOME = Buffer.from("R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", "latin1");
const FIELDS = "SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0";
const SHUT_DOWN = Buffer.from(`E\0\0\0${String.fromCharCode(FIELDS.length + 4)}${FIELDS}`, "latin1");

/** A server that takes each connection, and ends it in the very packet in which it says that it is ready. */
let server: Server;
let url: string;
beforeEach(async () => {
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(Buffer.concat([WELCOME, SHUT_DOWN])));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `postgres://postgres@127.0.0.1:${(server.address() as AddressInfo).port}/postgres`;
});
afterEach(() => server.close());

it("P7: a connection that is lost in the turn in which it is made fails the call, and not the process", async () => {
  const pool = new Pool({ connectionString: url });
  for (const source of [{ url }, { pool }]) {
    const store = new PostgresStore(source);
    await expect(store.load(liveRecord().id)).rejects.toMatchObject({ code: "SESSION_STORE" });
    await store.close();
  }
  await pool.end();
});
