import { Sessions } from "../../lib/sessions";
import type { ClientlessSession } from "../../lib/clientless/clientless-session";
import { openSharedStore } from "./shared-store";
import type { SharedPlace } from "./shared-store";

/**
 * A process with a clientless session of alice's, in a store that its parent shares. As "script" it opens one, reports
 * its id, and is done; as "worker" it runs a task in one until it is told to stop, and reports why.
 */
const [place, role, options] = process.argv.slice(2).map((argument) => JSON.parse(argument));
const sessions = new Sessions({ ...options, store: openSharedStore(place as SharedPlace), clearSchedule: false });
const tell = (message: object) => process.send!(message);

sessions.defineTask("wait", ({ signal }) => {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
});

async function work(session: ClientlessSession): Promise<void> {
  session.start("wait");
  tell({ id: session.id });
  await session.result("wait").catch((error: unknown) => tell({ aborted: codeOf(error) }));
}

function codeOf(error: unknown): unknown {
  return (error as { code?: string }).code ?? String(error);
}

async function main(): Promise<void> {
  if (role === "script") {
    const { id } = await sessions.openClientlessSession("alice");
    tell({ id });
    process.disconnect();
    return;
  }
  // A session keeps no process alive; the channel to the parent does.
  process.on("message", () => undefined);
  await sessions.withClientlessSession("alice", work).catch((error: unknown) => tell({ closed: codeOf(error) }));
  await sessions.close();
  process.disconnect();
}

void main();
