import type { SessionInfo } from "../admin/listing/session-info";

/** A session as JSON has it. Whether it is authorized is left out: only the app can tell. */
export function sessionJson({ authorized: _authorized, ...info }: SessionInfo): Omit<SessionInfo, "authorized"> {
  return info;
}
