import type { RequestSession, Session, SessionCallback } from "../session/session";
import type { DeclaredData } from "../session/session-data";

/** What the middleware puts on a request. */
interface RequestWithSession {
  /** The session that the cookie names, or an empty one. Set it to null to end it. */
  get session(): RequestSession;
  set session(value: RequestSession | null);
  /** The session's id. */
  sessionID: string;
}

/* eslint-disable @typescript-eslint/ban-ts-comment -- "expect-error" would be an error itself, wherever these types are */

/** Declared by the types of express-session, which come with several other packages. */
/** @ts-ignore -- elsewhere there is no such type */
type TheirStore = Express.SessionStore;
/** Of a type that is missing, TypeScript takes any key for one. */
type UnlessTheirs<T> = string extends keyof TheirStore ? T : object;

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express's own way of extending its Request
  namespace Express {
    // Two declarations of one property can't agree. Ours is inherited, so that theirs counts; theirs is extended below.
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is extended by declaration merging
    interface Request extends UnlessTheirs<RequestWithSession> {}
  }
}

type TheirNames = "id" | "cookie" | "save" | "reload" | "touch" | "destroy" | "regenerate";
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an interface can only extend what has a name
interface OwnMembers extends Omit<Session, TheirNames> {}

/** @ts-ignore -- without the types of express-session there is no such module to extend */
declare module "express-session" {
  interface Session extends OwnMembers {
    save(callback?: SessionCallback): Promise<void>;
    reload(callback?: SessionCallback): Promise<void>;
    touch(callback?: SessionCallback): Promise<void>;
    destroy(callback?: SessionCallback): Promise<void>;
    regenerate(callback?: SessionCallback): Promise<void>;
  }
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is extended by declaration merging
  interface SessionData extends Partial<DeclaredData> {}
}
