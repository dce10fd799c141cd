import type { RequestSession } from "../session/session";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express's own way of extending its Request
  namespace Express {
    interface Request {
      /** The session that the cookie names, or an empty one. Set it to null to end it. */
      get session(): RequestSession;
      set session(value: RequestSession | null);
      /** The session's id. */
      sessionID: string;
    }
  }
}
