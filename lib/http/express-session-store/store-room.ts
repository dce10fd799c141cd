import type { HttpSettings } from "../http-settings";
import { CallbackStore } from "./express-session-store";
import type { ExpressSessionStore } from "./express-session-store";
import { LibrarySessions } from "./library-sessions";
import { OwnSessions } from "./own-sessions";

export { libraryOf } from "./library-sessions";

/** A store about the sessions of browsers. */
export function ownSessionStore(settings: HttpSettings): ExpressSessionStore {
  return new CallbackStore(new OwnSessions(settings), settings.onError);
}

/** A store of the sessions that a library of this name makes itself. */
export function librarySessionStore(settings: HttpSettings, library: string): ExpressSessionStore {
  return new CallbackStore(new LibrarySessions(settings, library), settings.onError);
}
