import type { Express } from "express";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { createApp } from "./app";
import { demoAccounts, Users } from "./users";

const LAST_CALL_MS = 5_000;

/**
 * `npm start`. Beside the variables that choose the store it reads PORT, HOST, DEMO_PASSWORD (one password for all demo
 * accounts, instead of new ones at each start) and TRUST_PROXY.
 */
async function main(): Promise<void> {
  const { HOST = "127.0.0.1", PORT, TRUST_PROXY = "0", DEMO_PASSWORD } = process.env;
  const accounts = demoAccounts(DEMO_PASSWORD);
  const { app, sessions } = createApp({ users: await Users.of(accounts) });
  // The number of proxies before this server, such as 1 on Cloud Run. They say whether the visitor came by HTTPS.
  app.set("trust proxy", Number(TRUST_PROXY));

  const server = await listen(app, HOST, PORT);
  console.log(`\n  Tea House is open: ${addressOf(server, HOST)}\n\n  To sign in, take one of`);
  for (const { username, password } of accounts) console.log(`    ${username.padEnd(6)} ${password}`);
  console.log("\n  Ctrl+C closes it.\n");

  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await close(server, () => sessions.pages.close());
  await sessions.close();
}

/** Without PORT, the port is 3000, or a free one where that is taken. */
async function listen(app: Express, host: string, port: string | undefined): Promise<Server> {
  const server = createServer(app);
  try {
    await once(server.listen(Number(port ?? 3000), host), "listening");
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!taken || port !== undefined) throw error;
    await once(server.listen(0, host), "listening");
  }
  return server;
}

function addressOf(server: Server, host: string): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server does not listen on a TCP port.");
  return `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
}

/** Lets requests under way finish, but not for ever; the event streams of pages would go on and on. */
async function close(server: Server, endStreams: () => void): Promise<void> {
  const lastCall = setTimeout(() => server.closeAllConnections(), LAST_CALL_MS);
  const closed = once(server.close(), "close");
  endStreams();
  await closed;
  clearTimeout(lastCall);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
