/** What `Sessions` needs of this room, in one piece: it loads the room when it is first asked for something in it. */
export { resolveAdminContext } from "./admin-context";
export { endedNotice } from "./ended-notice";
export { SessionAdmin } from "./session-admin";
export { SessionReader } from "./session-reader";
