import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { SessionError } from "../../errors";
import type { Session } from "../../session/session";

/** On whose behalf sessions are administered. */
export interface AdminContext {
  /** The acting session; null for none. It must be live in the store at every call. */
  readonly session: Pick<Session, "id"> | null;
  /** Ties the audit's entries to a request: up to 128 visible ASCII characters. Default: a random UUID. */
  readonly correlationId?: string;
  /** The app that makes the calls. Default: the `project`. */
  readonly app?: string;
  /** The address that the request came from. Default `""`. */
  readonly remoteAddress?: string;
  /** The user acted for. Default: at each call, the user context of the calling code. */
  readonly actingFor?: string;
}

/** What is read of Express's request. */
export interface AdminRequest {
  /** For the correlation id: `X-Request-Id` or `X-Correlation-Id`. */
  readonly headers: IncomingHttpHeaders;
  /** The acting session; null for none. */
  readonly session: Pick<Session, "id"> | null;
  /** The address of the client as Express knows it, by the app's `trust proxy`. */
  readonly ip?: string | undefined;
  /** For the address of the client where `ip` is missing. */
  readonly socket: {
    /** The address of the other end of the connection. */
    readonly remoteAddress?: string | undefined;
  };
  /**
   * Whether the audit got an entry for such a look lately, so that it gets none now.
   * @internal For the console.
   */
  readonly wasTold?: (look: string) => boolean;
}

/** The context with its defaults. */
export type ResolvedAdminContext = Readonly<Required<Omit<AdminContext, "actingFor">>> &
  Pick<AdminContext, "actingFor"> & {
    // Not by its name in AdminRequest: the published types lack it there.
    readonly wasTold?: (look: string) => boolean;
  };

const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;
const MAX_ADDRESS_LENGTH = 64;

/**
 * Throws `SESSION_ARGUMENT` for an unusable context. A request's correlation id is its `X-Request-Id` or
 * `X-Correlation-Id`, where that is well-formed.
 */
export function resolveAdminContext(from: AdminContext | AdminRequest, project: string): ResolvedAdminContext {
  if (!isObject(from)) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      "admin takes a request, or { session, correlationId, app, remoteAddress }.",
    );
  }
  const context = "headers" in from ? contextOf(from) : from;
  const { session, correlationId = randomUUID(), app = project, remoteAddress = "", actingFor } = context;
  if (!isObject(session) && session !== null) {
    throw new SessionError(
      "SESSION_ARGUMENT",
      "admin: the session is missing; put the session middleware before this.",
    );
  }
  if (!isText(correlationId) || !CORRELATION_ID.test(correlationId)) {
    throw new SessionError("SESSION_ARGUMENT", "admin: correlationId must be 1 to 128 visible ASCII characters.");
  }
  if (![app, remoteAddress, actingFor ?? ""].every(isText)) {
    throw new SessionError("SESSION_ARGUMENT", "admin: app, remoteAddress and actingFor must be strings.");
  }
  const { wasTold } = "headers" in from ? from : {};
  return {
    ...{ session, correlationId, app, remoteAddress },
    ...(actingFor === undefined ? {} : { actingFor }),
    ...(wasTold === undefined ? {} : { wasTold }),
  };
}

function contextOf({ headers, session, ip, socket }: AdminRequest): AdminContext {
  const given = headers["x-request-id"] ?? headers["x-correlation-id"];
  const isUsable = typeof given === "string" && CORRELATION_ID.test(given);
  return {
    session,
    remoteAddress: (ip ?? socket.remoteAddress ?? "").slice(0, MAX_ADDRESS_LENGTH),
    ...(isUsable ? { correlationId: given } : {}),
  };
}

function isObject(given: unknown): boolean {
  return typeof given === "object" && given !== null;
}

function isText(given: unknown): boolean {
  return typeof given === "string";
}
