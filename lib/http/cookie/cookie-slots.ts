import type { CookieSettings } from "./cookie-settings";

/** What tells two cookies of one name and path apart in a browser. (RFC 6265bis §5.7, CHIPS) */
export interface CookieSlot {
  readonly domain: string | undefined;
  readonly partitioned: boolean;
}

/**
 * A name with a dot in it that does not end in a number: neither an IP address, for which browsers keep no domain, nor
 * `localhost`.
 */
const DOMAIN_NAME = /^(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z][a-z\d-]*$/i;

/**
 * Where an earlier `domain` or `partitioned` may have left a cookie of this name and path on this very host. What
 * belongs to a domain above it may be another app's, and so may what belongs to another path.
 */
export function otherSlots(
  { domain, partitioned }: CookieSettings,
  cookie: { readonly name: string; readonly secure: boolean },
  hostname: string,
): readonly CookieSlot[] {
  const slots: CookieSlot[] = [];
  // Browsers keep Partitioned ones only where they are Secure.
  if (cookie.secure) slots.push({ domain, partitioned: !partitioned });
  if (cookie.name.startsWith("__Host-")) return slots;
  if (domain !== undefined) slots.push({ domain: undefined, partitioned });
  if (DOMAIN_NAME.test(hostname) && domain?.replace(/^\./, "").toLowerCase() !== hostname.toLowerCase()) {
    slots.push({ domain: hostname, partitioned });
  }
  return slots;
}
