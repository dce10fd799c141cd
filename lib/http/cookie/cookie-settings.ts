/** How the session cookie is set; resolved from `SessionOptions.cookie`. */
export interface CookieSettings {
  /** The name without the prefix that HTTPS gives it. */
  readonly name: string;
  /** Whether HTTPS gives it one. */
  readonly prefix: boolean;
  readonly path: string;
  readonly domain: string | undefined;
  readonly sameSite: "strict" | "lax" | "none" | undefined;
  /** "auto": as the request came in. */
  readonly secure: boolean | "auto";
  readonly priority: "low" | "medium" | "high" | undefined;
  readonly partitioned: boolean;
  /** Whether the cookie survives the browser. */
  readonly persistent: boolean;
}
