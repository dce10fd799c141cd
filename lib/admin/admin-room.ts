/** What `Sessions` uses of this room. `rooms-on-demand` loads it when it is first needed. */
export { resolveAdminContext } from "./checked/admin-context";
export { SessionAdmin } from "./checked/session-admin";
export { SessionReader } from "./listing/session-reader";
