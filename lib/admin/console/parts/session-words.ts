import { GUEST_USER, UNAUTHENTICATED } from "../../../record/session-record";
import { deviceName } from "../../listing/device-name";
import type { SessionInfo } from "../../listing/session-info";
import { html } from "./html";
import type { Html } from "./html";

const MAX_DEVICE_LENGTH = 60;

/** Text that somebody else has written: it may run from right to left, and must not turn what stands beside it. */
export function foreign(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** Whose a session is. */
export function userLabel(username: string): Html {
  return username === UNAUTHENTICATED || username === GUEST_USER
    ? html`<span class="guest">Guest</span>`
    : foreign(username);
}

/** The device, as far as the user agent tells it, with that to hover over. */
export function deviceLabel({ userAgent }: Pick<SessionInfo, "userAgent">): Html {
  const name = deviceName(userAgent);
  if (name === "") return html`<span class="none">Unknown</span>`;
  const short = name.length > MAX_DEVICE_LENGTH ? `${name.slice(0, MAX_DEVICE_LENGTH)}…` : name;
  return html`<span class="device" title="${userAgent}">${foreign(short)}</span>`;
}

/** The project's name, or that it has none. */
export function projectLabel(project: string): Html {
  return project === "" ? html`<span class="none">No name</span>` : html`${project}`;
}

/** Why a session is over. */
export function endLabel({ endReason }: Pick<SessionInfo, "endReason">): Html {
  return html`<span class="badge ${endReason === "killed" && "strong"}">${endReason}</span>`;
}

/** By whom it was ended. */
export function endedByLabel({ endedBy }: Pick<SessionInfo, "endedBy">): Html {
  return endedBy === null ? html`<span class="none">–</span>` : userLabel(endedBy);
}
