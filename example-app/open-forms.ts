import { GUEST_USER } from "coatcheck";
import type { Request } from "express";

const OPEN_FORMS = /^\/(?:language|cart\/[^/]+\/add)$/;

/**
 * Forms that a guest sends without a security key, so that who only looks at the shelf needs no session to be shown them. They act for
 * nobody, and `sameOrigin` keeps other sites' forms out.
 */
export function isOpenForm(req: Request): boolean {
  return OPEN_FORMS.test(req.path) && req.session.owner === GUEST_USER;
}
