import { GUEST_USER, UNAUTHENTICATED } from "../../../record/session-record";
import type { SessionInfo } from "../../listing/session-info";
import { html } from "./html";
import type { Html } from "./html";
import { foreign } from "./shown-values";

/** Whether this is what records, or listings, call nobody. */
export function isGuest(username: string): boolean {
  return username === UNAUTHENTICATED || username === GUEST_USER;
}

/** The user of a session, as text in a sentence. */
export function ownerText(username: string): Html {
  return isGuest(username) ? html`a guest` : foreign(username);
}

/** The user of a session, with a link to their page; guests have none. */
export function userLink(base: string, username: string): Html {
  if (isGuest(username)) return html`<span class="guest">Guest</span>`;
  return html`<a href="${base}${userAddress(username)}">${foreign(username)}</a>`;
}

/** The address of a user's page inside the console. */
export function userAddress(user: string): string {
  return `/user?${new URLSearchParams({ user }).toString()}`;
}

/** Who ended a session. */
export function endedByLabel(base: string, { endedBy }: Pick<SessionInfo, "endedBy">): Html {
  return endedBy === null ? html`<span class="none">–</span>` : userLink(base, endedBy);
}
