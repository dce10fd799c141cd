import { SessionError } from "../errors";
import { GUEST_USER, UNAUTHENTICATED } from "../record/session-record";
import { kindOf } from "../record/shown-text";
import type { RequestSession } from "./session";

/** The longest user id, in bytes of UTF-8. */
export const MAX_USER_BYTES = 1024;

/**
 * Returns whose session it is, read from its data: the user's id, null for nobody, undefined to leave the owner as it
 * is. It is called whenever data are saved, and must only read.
 */
export type UserOf = (session: RequestSession) => string | number | null | undefined;

/**
 * The user that passport has signed in: null once that user has signed out, undefined where passport has kept nothing.
 * Only for requests on which passport is at work. On others a key named `passport` is data like any other, and may have
 * come from anybody.
 */
export function passportUser(session: RequestSession): string | number | null | undefined {
  const passport: unknown = session.get("passport");
  if (typeof passport !== "object" || passport === null) return undefined;
  const user: unknown = Object.hasOwn(passport, "user") ? Reflect.get(passport, "user") : null;
  return typeof user === "string" || typeof user === "number" ? user : user === null ? null : undefined;
}

/**
 * A user id as records keep it: a non-empty string of up to 1,024 bytes, or a finite number, which is made a string.
 * Everything else is a `SESSION_ARGUMENT` that names where it came from.
 */
export function userId(user: unknown, where: string): string {
  if (typeof user === "number" && Number.isFinite(user)) return String(user);
  if (typeof user !== "string") {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `${where} takes a user id as a string, not ${typeof user === "number" ? user : kindOf(user)}.`,
    );
  }
  if (user === "") throw new SessionError("SESSION_ARGUMENT", `${where} takes a user id, and "" is none.`);
  // A user named "Unauthenticated" would be listed among the guests, and a kill by user would not find that user.
  if (user === GUEST_USER || user === UNAUTHENTICATED) {
    throw new SessionError("SESSION_ARGUMENT", `${where}: "${user}" stands for nobody, and can't be a user's id.`);
  }
  assertUserIdForm(user, where);
  return user;
}

/** Refuses strings that no owner can be: over 1,024 bytes, or not well-formed. */
export function assertUserIdForm(user: string, where: string): void {
  if (user.length > MAX_USER_BYTES / 3 && Buffer.byteLength(user) > MAX_USER_BYTES) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `${where}: a user id may have ${MAX_USER_BYTES} bytes, and this one has ${Buffer.byteLength(user)}.`,
    );
  }
  if (!user.isWellFormed()) {
    throw new SessionError("SESSION_ARGUMENT", `${where}: the user id is not well-formed Unicode.`);
  }
}

/** The owner that `userOf` names; `current` where it leaves the owner as it is, or where there is no such function. */
export function ownerOf(userOf: UserOf | undefined, session: RequestSession, current: string): string {
  const user: unknown = userOf?.(session);
  if (user === undefined) return current;
  if (user === null || user === GUEST_USER) return GUEST_USER;
  return userId(user, "userOf");
}
