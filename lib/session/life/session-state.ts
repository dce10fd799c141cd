import type { CookieView } from "../cookie-view";
import type { SessionAttributes } from "../attributes/session-attributes";
import type { SecurityKeys } from "../security-keys/security-keys";
import type { SessionMeta } from "../session-meta";
import type { SessionValues } from "../values/session-values";

/** How to sign in. */
export interface LoginOptions {
  /** Keeps the user signed in for `rememberTimeout`, with a cookie that survives the browser. Default false. */
  readonly remember?: boolean;
}

/** What stands behind a Session: its values, and what can be done with them. */
export interface SessionState {
  readonly values: SessionValues;
  readonly id: string;
  readonly owner: string;
  readonly isNew: boolean;
  readonly changed: boolean;
  readonly meta: SessionMeta;
  readonly cookie: CookieView;
  readonly attributes: SessionAttributes;
  readonly securityKeys: SecurityKeys;
  /** What the app is given of a promise: one that it may forget. */
  given<T>(promise: Promise<T>): Promise<T>;
  /** Throws where a change could not be saved any more. */
  assertWritable(): void;
  markChanged(): void;
  update(key: string, change: (value: unknown) => unknown): Promise<unknown>;
  save(): Promise<void>;
  reload(): Promise<void>;
  touch(): Promise<void>;
  reset(): Promise<void>;
  login(user: string | number, options: LoginOptions): Promise<void>;
  logout(): Promise<void>;
  destroy(): Promise<void>;
  regenerate(): Promise<void>;
}
