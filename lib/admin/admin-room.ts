/** What `Sessions` needs of this room, in one piece: it loads the room when it is first asked for something in it. */
export { resolveAdminContext } from "./checked/admin-context";
export { endedNotice } from "./ended-notice";
export { SessionAdmin } from "./checked/session-admin";
export { SessionReader } from "./listing/session-reader";
