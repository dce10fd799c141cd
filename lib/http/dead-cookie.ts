import type { HttpSettings } from "./http-settings";
import { REQUEST_SESSION } from "./request-slot";
import type { RequestWithSession } from "./request-slot";

/** The id of the token that a request carries and that opened nothing in the middleware of these settings. */
export function deadIdOf(req: RequestWithSession, settings: HttpSettings | undefined): string | undefined {
  return settings === undefined ? undefined : req[REQUEST_SESSION]?.deadId(settings);
}
