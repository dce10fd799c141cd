import { deviceName } from "../../listing/device-name";
import type { SessionInfo } from "../../listing/session-info";
import { html } from "./html";
import type { Html } from "./html";

/** What differs between the client that a session was created with and another that used it. */
export interface ClientChange {
  readonly address: boolean;
  /** A newer version of the same browser is no other device. */
  readonly device: boolean;
}

type Clients = Pick<SessionInfo, "clientAddress" | "userAgent" | "otherClient">;

/** Undefined where no other client used the session, as far as is known. */
export function clientChange({ clientAddress, userAgent, otherClient }: Clients): ClientChange | undefined {
  if (otherClient === null) return undefined;
  const address = otherClient.clientAddress !== clientAddress;
  const device = deviceName(otherClient.userAgent) !== deviceName(userAgent);
  return address || device ? { address, device } : undefined;
}

/** Marks a session that another client used: an account that is taken over looks so. */
export function changeBadges(info: Clients): Html | undefined {
  const change = clientChange(info);
  if (change === undefined) return undefined;
  const title = `Also used from ${otherClientText(info)}`;
  return html`<span class="changes" title="${title}"
    >${change.device && html`<span class="badge strong">device changed</span> `}${
      change.address && html`<span class="badge ${change.device && "strong"}">address changed</span>`
    }</span
  >`;
}

/** The other client in words. */
export function otherClientText({ otherClient }: Pick<Clients, "otherClient">): string {
  if (otherClient === null) return "";
  return [otherClient.clientAddress, deviceName(otherClient.userAgent)].filter(Boolean).join(", ");
}
