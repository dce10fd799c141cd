declare module "connect-flash" {
  import type { RequestHandler } from "express";

  /** Puts `req.flash` on each request. */
  export default function flash(options?: { readonly unsafe?: boolean }): RequestHandler;
}
