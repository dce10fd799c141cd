import type { HttpSettings } from "./http-settings";
import { REQUEST_SESSION } from "./request-properties";
import type { RequestWithSession } from "./request-properties";

/** The id of the token that a request carries and that opened nothing in the middleware of these settings. */
export function deadIdOf(req: RequestWithSession, settings: HttpSettings | undefined): string | undefined {
  return settings === undefined ? undefined : req[REQUEST_SESSION]?.deadId(settings);
}
