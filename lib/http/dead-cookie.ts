import type { HttpSettings } from "./http-settings";
import { REQUEST_SESSION } from "./request-slot";
import type { RequestWithSession } from "./request-slot";

/** The ids of the tokens that a request carries, where none of them opened anything in the middleware of these settings. */
export function deadIdsOf(req: RequestWithSession, settings: HttpSettings | undefined): readonly string[] {
  return (settings === undefined ? undefined : req[REQUEST_SESSION]?.deadIds(settings)) ?? [];
}
