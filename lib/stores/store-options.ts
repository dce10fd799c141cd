import type { ForeignNames } from "../options/reader/read-options";

/** Options that every store of ours has besides its own. */
export interface StoreOptions {
  /** The clock: milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

const LIFE = 'write idleTimeout: "30m" and absoluteTimeout: "24h" in the options of sessionMiddleware';
const NOT_HERE = "write it in the options of sessionMiddleware";

/** Options of other libraries' stores, and where to write them with ours. */
export const FOREIGN_STORE_OPTIONS: ForeignNames = {
  ...{ ttl: LIFE, expirationMs: LIFE, maxAge: LIFE },
  prefix: 'write project: "shop" in the options of sessionMiddleware',
  disableTouch: 'write touchInterval: "5m" in the options of sessionMiddleware',
  serializer: "leave it out: values come back as they went in",
  ...{ secrets: NOT_HERE, storeTimeout: NOT_HERE, clearSchedule: NOT_HERE },
};
