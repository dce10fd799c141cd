import { SessionError } from "../errors";

/** What a function of the app's answers. A truthy answer that was not meant must not open everything: `SESSION_CONFIG` names the option. */
export async function isTrue(option: string, answer: boolean | Promise<boolean>): Promise<boolean> {
  const isIt: unknown = await answer;
  if (typeof isIt === "boolean") return isIt;
  throw new SessionError(
    "SESSION_CONFIG",
    `Option ${option}: its function must answer true or false, not ${typeof isIt}.`,
  );
}
