import { assertCallOptions } from "../../options/reader/read-options";
import type { Duration } from "../../record/duration";
import type { Encoded } from "../../record/session-record";
import { encodeValue } from "../../record/value/value-encoding";
import { expiresInMs } from "../expires-in";

/** How a one-time key is made. */
export interface SecurityKeyOptions {
  /** How long it can be used, at most as long as its session. Milliseconds, or a string such as `"10m"`. Default `"1h"`. */
  readonly expiresIn?: Duration | undefined;
  /** What `validate` answers for it: any value that a session can hold. Default `true`. */
  readonly payload?: unknown;
}

const OPTIONS = ["expiresIn", "payload"];

/** Checks the options: `SESSION_ARGUMENT`, a RangeError for `expiresIn`, `SESSION_VALUE` for a payload that can't be stored. */
export function readSecurityKeyOptions(given: unknown): { readonly lifeMs: number; readonly payload: Encoded } {
  const notAnObject = 'securityKeys.create takes options such as { expiresIn: "10m" }.';
  assertCallOptions(given, OPTIONS, "securityKeys.create", notAnObject);
  const { expiresIn = "1h", payload = true } = given;
  return { lifeMs: expiresInMs(expiresIn), payload: encodeValue("payload", payload) };
}
