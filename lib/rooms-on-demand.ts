/* eslint-disable @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports -- an import at the top would load them with the package */

/**
 * Listings and administration. Like the other rooms here, it is loaded when it is first needed: many processes never
 * need it.
 */
export function adminRoom() {
  return require("./admin/admin-room") as typeof import("./admin/admin-room");
}

/** The schedule of clearing, and its cron expressions. */
export function clearScheduleRoom() {
  return require("./jobs/clear-schedule") as typeof import("./jobs/clear-schedule");
}

/** Sessions without a client. */
export function clientlessRoom() {
  return require("./clientless/clientless-sessions") as typeof import("./clientless/clientless-sessions");
}

/** Stores of express-session's kind, for libraries that require one. */
export function expressSessionStoreRoom() {
  return require("./http/express-session-store/express-session-store") as typeof import("./http/express-session-store/express-session-store");
}

/** The console. */
export function consoleRoom() {
  return require("./admin/console/console-handler") as typeof import("./admin/console/console-handler");
}

/** The pages that are open, and what they are told. */
export function pagesRoom() {
  return require("./pages/session-pages") as typeof import("./pages/session-pages");
}

/** The embedded store. */
export function sqliteRoom() {
  return require("./stores/sqlite/sqlite-store") as typeof import("./stores/sqlite/sqlite-store");
}

/** The store on Google Cloud Datastore. */
export function datastoreRoom() {
  return require("./stores/datastore/datastore-store") as typeof import("./stores/datastore/datastore-store");
}

/** The store on Redis or Valkey. */
export function redisRoom() {
  return require("./stores/redis/redis-store") as typeof import("./stores/redis/redis-store");
}

/** The store on PostgreSQL. */
export function postgresRoom() {
  return require("./stores/postgres/postgres-store") as typeof import("./stores/postgres/postgres-store");
}
