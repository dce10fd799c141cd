import type { SessionTally } from "../../../stores/store";
import { html } from "./html";
import type { Html } from "./html";

/** How many sessions are of signed-in users, and how many of guests. */
export interface Share {
  readonly signedIn: number;
  readonly guests: number;
}

/** The sum of these counts. */
export function shareOf(tallies: readonly SessionTally[]): Share {
  const sum = (isGuest: boolean) =>
    tallies.reduce((total, group) => total + (group.isGuest === isGuest ? group.live : 0), 0);
  return { signedIn: sum(false), guests: sum(true) };
}

/** A bar whose full width is `most` sessions. Screen readers skip it: the numbers are beside it. */
export function shareBar({ signedIn, guests }: Share, most: number): Html {
  const percent = (value: number) => (most === 0 ? "0" : ((100 * value) / most).toFixed(2));
  return html`<svg class="bar" aria-hidden="true" focusable="false">
    <rect class="track" width="100%" height="100%" />
    <rect class="signed-in" width="${percent(signedIn)}%" height="100%" />
    <rect class="guests" x="${percent(signedIn)}%" width="${percent(guests)}%" height="100%" />
  </svg>`;
}
