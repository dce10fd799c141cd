import type { Session } from "../../../session/session";
import type { KillAction } from "./kill-action";

/** The form field with the one-time key; another one than that of `requireSecurityKey`, which an app may have before the console. */
export const KEY_FIELD = "consoleKey";

/** A key that is good for doing this once, in this session, within half an hour. */
export async function makeKillKey(session: Session, { purpose }: KillAction): Promise<string> {
  return session.securityKeys.create({ expiresIn: "30m", payload: purpose });
}

/** Uses a key up, and tells whether it was made for this. */
export async function isKillKey(session: Session, { purpose }: KillAction, key: unknown): Promise<boolean> {
  return (await session.securityKeys.validate(key)) === purpose;
}
