export {
  clearSessions,
  closeClientlessSession,
  defineTask,
  getSession,
  getSessionInfo,
  getSessionUser,
  killAllSessions,
  killSessionByUser,
  openClientlessSession,
  sessionConsole,
  sessionMiddleware,
  sessionPages,
  startClearSessions,
  withClientlessSession,
} from "./default-sessions";
export type { SessionMiddleware } from "./default-sessions";
export { Sessions } from "./sessions";
export type { SessionEvent, SessionEvents } from "./session/session-events";
export type { CookieOptions } from "./options/cookie-options";
export type { Adopt, AdoptedSession, GoneSession } from "./session/adopted-session";
export type { SessionOptions } from "./options/session-options";
export type { Duration } from "./record/duration";
export type { ClearMessage, DiagnosticMessage, KillMessage, LoadMessage, SaveMessage } from "./diagnostic-channels";
export { SessionError } from "./errors";
export type { SessionErrorCode } from "./errors";
export { GUEST_USER } from "./record/session-record";
export type { EndReason } from "./record/session-record";
export { Session } from "./session/session";
export type { RequestSession, SessionCallback } from "./session/session";
export { currentSession } from "./session/current-session";
export { ClientlessSession } from "./clientless/clientless-session";
export type { ClientlessSessionDict, CloseOptions } from "./clientless/clientless-session";
export type { OpenOptions } from "./clientless/open-options";
export type { ResultOptions, Task, TaskContext, TaskHandle } from "./clientless/tasks/defined-tasks";
export { getUserContext, setUserContext, withUserContext } from "./clientless/user-context";
// "export *", so that an app's `declare module "coatcheck"` reaches the interface itself.
export * from "./session/session-data";
export type { SessionAttributes } from "./session/attributes/session-attributes";
export type { AttributeInfo } from "./session/attributes/attribute-info";
export type { AttributeItem, AttributeOptions } from "./session/attributes/attribute-arguments";
export type { SecurityKeys } from "./session/security-keys/security-keys";
export type { SecurityKeyOptions } from "./session/security-keys/security-keys";
export type { SessionMeta } from "./session/session-meta";
export type { LoginOptions } from "./session/life/session-state";
export type { UserOf } from "./session/session-owner";
export type { CookieView } from "./session/session-meta";
export type { OtherClientInfo, SessionInfo, StoredSessionInfo } from "./admin/listing/session-info";
export type { IsAuthorized, SessionPage } from "./admin/listing/session-reader";
export type { CheckedKillOptions, KillAllOptions, SessionAdmin } from "./admin/checked/session-admin";
export type { KillOptions } from "./admin/kill";
export type { AdminContext, AdminRequest } from "./admin/checked/admin-context";
export type { AdminAction, AuditEntry, AuditSink } from "./admin/checked/admin-audit";
export type { IsPasswordExpired, IsSuperUser } from "./admin/checked/admin-call";
export type { AttributeDescription, DataDescription, SessionDescription } from "./admin/listing/session-info";
export type { EndedNotice } from "./admin/ended-notice";
export type { Match, SessionFilter } from "./admin/listing/session-filter";
export type { ConsoleHandler } from "./admin/console/console-handler";
export type { AuditTrail, ConsoleOptions, ConsoleSessions } from "./admin/console/console-options";
export type { PagesHandler } from "./pages/pages-handler";
export type { PagedSessions, SessionPagesOptions, TextsOfNotice } from "./pages/pages-options";
export type { SessionPages } from "./pages/session-pages";
export type { MessageTarget } from "./pages/page-messages";
export type { NoticeAbout, NoticeTexts } from "./pages/page-texts";
export type { SessionEnd } from "./pages/pages-host";
export type { OpenPage } from "./session/open-page";
export { requireSecurityKey } from "./http/security-key/require-security-key";
export type { RequireSecurityKeyOptions } from "./http/security-key/require-security-key-options";
export type {
  ExpressSessionStore,
  ExpressSessionStoreOptions,
  SessionObject,
  StoreCallback,
} from "./http/express-session-store/express-session-store";
export type { SessionHandler } from "./http/middleware";
export type {
  ClearProgress,
  FindQuery,
  SessionStore,
  SessionTally,
  UnreadableQuery,
  UnreadableRecord,
} from "./stores/store";
export type { StoreOptions } from "./stores/store-options";
export type { SessionDelta, MapDelta } from "./record/session-delta";
export type { SessionGroup } from "./record/session-record";
export type {
  AttributeRecord,
  Encoded,
  EndedRecord,
  Ending,
  PageRecord,
  SecurityKeyRecord,
  SessionRecord,
} from "./record/session-record";
