import { GUEST_USER } from "coatcheck";
import type { Request } from "express";

const GUEST_FORMS = /^\/(?:language|cart\/[^/]+\/add)$/;

/**
 * Whether a form needs no security key. Guests can choose a language and fill the cart without one, so that showing
 * them these forms takes no session. The forms act for no user, and `sameOrigin` refuses those of other sites.
 */
export function isGuestForm(req: Request): boolean {
  return GUEST_FORMS.test(req.path) && req.session.owner === GUEST_USER;
}
