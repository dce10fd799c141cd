/**
 * What your app keeps in a session. Declare your keys, and `req.session`, `get`, `set` and `update` know their types:
 *
 * ```ts
 * declare module "coatcheck" { interface SessionData { views: number; cart: Cart } }
 * ```
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- apps fill it by declaration merging
export interface SessionData {}
