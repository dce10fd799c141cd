import type { SessionTally } from "../../../stores/store";
import { html } from "./html";
import type { Html } from "./html";

/** How many of a group are signed in, and how many are guests. */
export interface Share {
  readonly signedIn: number;
  readonly guests: number;
}

/** Signed in and guests, added up. */
export function shareOf(tallies: readonly SessionTally[]): Share {
  const sum = (isGuest: boolean) =>
    tallies.reduce((total, group) => total + (group.isGuest === isGuest ? group.live : 0), 0);
  return { signedIn: sum(false), guests: sum(true) };
}

/** A bar whose full width is `most` sessions. The numbers stand beside it, so that it says nothing to a screen reader. */
export function shareBar({ signedIn, guests }: Share, most: number): Html {
  const percent = (value: number) => (most === 0 ? "0" : ((100 * value) / most).toFixed(2));
  return html`<svg class="bar" aria-hidden="true" focusable="false">
    <rect class="track" width="100%" height="100%" />
    <rect class="signed-in" width="${percent(signedIn)}%" height="100%" />
    <rect class="guests" x="${percent(signedIn)}%" width="${percent(guests)}%" height="100%" />
  </svg>`;
}
