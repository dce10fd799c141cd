import type { IncomingMessage } from "node:http";

/** Another library's session, which the option `adopt` hands over. */
export interface AdoptedSession {
  /**
   * What makes the old session unique: its id, up to 4,096 characters. Our token is derived from it with the newest of
   * `secrets`, so that parallel requests on any instance come to one session, and nobody else can derive the token
   * from the id.
   */
  readonly id: string;
  /** What the new session holds: a plain object, each value of a kind that a session keeps. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The user's id; null or absent for a guest. */
  readonly user?: string | number | null;
  /** Keeps the user signed in for `rememberTimeout`, with a cookie that survives the browser. Default false. */
  readonly remember?: boolean;
  /**
   * Ends the old session. It is called once ours is stored, and before the response gets our cookie. Where it fails, so
   * does the request, and the next one calls it again; so it must do no harm when it is called twice.
   */
  readonly ended?: () => unknown;
}

/**
 * The id of an old session that is gone. If it was taken over before, our session is opened: a page's other requests may
 * arrive with the old cookie only.
 */
export interface GoneSession {
  /** As in `AdoptedSession`. */
  readonly id: string;
  /** Absent: this distinguishes it from an `AdoptedSession`. */
  readonly data?: undefined;
}

/** Returns the session of another library that a request carries, or undefined for none; may be async. */
export type Adopt = (
  req: IncomingMessage,
) => AdoptedSession | GoneSession | undefined | Promise<AdoptedSession | GoneSession | undefined>;
