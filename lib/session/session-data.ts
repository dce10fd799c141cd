import type { ReservedNames } from "./session-proxy";

declare const RESERVED: unique symbol;

/**
 * A name that a session keeps for itself, so that `session.name` is never data: choose another. (`set` and `get` take
 * any name.)
 */
export interface ReservedName {
  /** No value has this type. */
  readonly [RESERVED]: never;
}

/**
 * What your app keeps in a session. Declare your keys, and `req.session`, `get`, `set` and `update` know their types:
 *
 * ```ts
 * declare module "coatcheck" { interface SessionData { views: number; cart: Cart } }
 * ```
 *
 * A key that is named here already is refused: it is one of the session's own.
 */
export interface SessionData {
  get?: ReservedName;
  set?: ReservedName;
  has?: ReservedName;
  require?: ReservedName;
  delete?: ReservedName;
  remove?: ReservedName;
  merge?: ReservedName;
  items?: ReservedName;
  keys?: ReservedName;
  values?: ReservedName;
  size?: ReservedName;
  pop?: ReservedName;
  setDefault?: ReservedName;
  clear?: ReservedName;
  update?: ReservedName;
  id?: ReservedName;
  owner?: ReservedName;
  isNew?: ReservedName;
  changed?: ReservedName;
  meta?: ReservedName;
  cookie?: ReservedName;
  pages?: ReservedName;
  signal?: ReservedName;
  markChanged?: ReservedName;
  save?: ReservedName;
  reload?: ReservedName;
  touch?: ReservedName;
  reset?: ReservedName;
  login?: ReservedName;
  logout?: ReservedName;
  destroy?: ReservedName;
  regenerate?: ReservedName;
  attributes?: ReservedName;
  securityKeys?: ReservedName;
  start?: ReservedName;
  result?: ReservedName;
  close?: ReservedName;
}

/** The keys that an app has declared. */
export type DeclaredData = { [Key in keyof SessionData as Key extends ReservedNames ? never : Key]: SessionData[Key] };
