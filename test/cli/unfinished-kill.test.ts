import { killInProject } from "../../lib/cli/commands/kill";
import type { SessionError } from "../../lib/errors";
import { Sessions } from "../../lib/sessions";
import { MemoryStore } from "../../lib/stores/memory-store";
import { FaultyStore } from "../support/faulty-store";
import { sessionRecord } from "../support/session-records";

it("a kill of a project that fails in the middle says how many were ended", async () => {
  const store = new FaultyStore(new MemoryStore());
  const sessions = new Sessions({ store, clearSchedule: false });
  for (let n = 0; n < 50; n += 1) await store.create(sessionRecord({ project: "shop" }));
  let ends = 0;
  store.pause = (operation, moment) =>
    operation === "end" && moment === "before" && (ends += 1) === 41 ? Promise.reject(new Error("down")) : undefined;
  const failure = (await killInProject(sessions, { project: "shop" }, {}).catch(
    (error: unknown) => error,
  )) as SessionError;
  const ended = failure.ended ?? 0;
  expect(ended).toBeGreaterThanOrEqual(40);
  expect(failure).toMatchObject({
    code: "SESSION_STORE",
    message: expect.stringContaining(`${ended} sessions were ended, then the kill failed`),
  });
  expect(await killInProject(sessions, { project: "shop" }, {})).toBe(50 - ended);
  await sessions.close();
});
