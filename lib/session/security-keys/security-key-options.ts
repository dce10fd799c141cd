import { SessionError } from "../../errors";
import { assertNames } from "../../options/reader/assert-names";
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
  if (typeof given !== "object" || given === null) {
    throw new SessionError("SESSION_ARGUMENT", 'securityKeys.create takes options such as { expiresIn: "10m" }.');
  }
  assertNames(given, OPTIONS, "securityKeys.create");
  const { expiresIn = "1h", payload = true } = given as SecurityKeyOptions;
  return { lifeMs: expiresInMs(expiresIn), payload: encodeValue("payload", payload) };
}
