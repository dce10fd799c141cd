import { KILLS, published } from "../diagnostic-channels";
import type { KillMessage } from "../diagnostic-channels";
import { SessionError, isUnreadable } from "../errors";
import { assertCallOptions } from "../options/reader/read-options";
import { isExpired } from "../record/expiry";
import { CLIENTLESS_SCOPE, GUEST_USER, isEnded } from "../record/session-record";
import type { EndReason, Ending, SessionRecord } from "../record/session-record";
import { kindOf } from "../record/shown-text";
import { assertSessionId } from "../record/token";
import { currentSession } from "../session/current-session";
import { endingFor, whenReplaced } from "../session/life/session-ended";
import type { SessionPolicy } from "../session/life/session-policy";
import type { Session } from "../session/session";
import { assertUserIdForm } from "../session/session-owner";
import { killLoop } from "./kill-loop";
import type { KillResult } from "./kill-loop";
import { ReadableTargets, UnreadableTargets } from "./kill-targets";
import type { KillQuery, KillStore, KillTarget } from "./kill-targets";

/** The options of a kill. */
export interface KillOptions {
  /** A message to the users, up to 500 characters; `Sessions.endedNotice` returns it. */
  readonly message?: string;
  /**
   * Who ends them, for `SessionInfo.endedBy`; up to 1,024 bytes. Default: the owner of the session that the running
   * code belongs to. For scripts, which run in no session.
   */
  readonly by?: string;
}

/** Who ends sessions, and the message to their users. */
export interface KillDetails {
  readonly by: string | null;
  readonly message: string | undefined;
}

/** What sessions are ended in, and by which rules. */
export interface KillSettings {
  readonly store: KillStore & {
    load(id: string): SessionRecord | undefined | Promise<SessionRecord | undefined>;
    end(id: string, ending: Ending): Promise<boolean>;
  };
  readonly now: () => number;
  readonly keepEndedMs: number;
  /** Named in the messages of the diagnostics channel. */
  readonly project: string;
  /** `Infinity` for no limit. */
  readonly maxSessionsPerUser: number;
  /** Called once for each session that was ended here. */
  readonly onEnded: (target: Pick<SessionRecord, "id" | "owner">, reason: EndReason) => void;
}

const MAX_MESSAGE_LENGTH = 500;

/** Ends sessions from outside: by id, by owner, all, and those over a user's limit. */
export class Kill {
  readonly #settings: KillSettings;

  constructor(settings: KillSettings) {
    this.#settings = settings;
  }

  /** See `Sessions.kill`. */
  async byId(id: string, options: KillOptions): Promise<boolean> {
    assertSessionId(id, "kill(id)");
    const details = detailsOf(options, "kill(id, options)");
    const kill = async () => {
      const target = await this.target(id);
      return target !== undefined && (await this.#isKilled(target, details));
    };
    return KILLS.hasSubscribers ? this.#publishedKill("id", kill) : kill();
  }

  /** Ends all sessions of a user, or of nobody (`GUEST_USER`). Resolves to how many. */
  async byUser(user: string, options: KillOptions): Promise<number> {
    const details = detailsOf(options, "killSessionByUser(user, options)");
    return this.found({ owner: ownerArgument(user) }, details);
  }

  /** Ends everyone's sessions. Resolves to how many. */
  async all(options: KillOptions): Promise<number> {
    return this.found({}, detailsOf(options, "killAllSessions(options)"));
  }

  /** Ends all other sessions of this session's user. Resolves to how many. */
  async others(session: Session, options: KillOptions): Promise<number> {
    const { id, owner } = session;
    if (owner === GUEST_USER) {
      throw new SessionError(
        "SESSION_ARGUMENT",
        "killOthers(session): this session belongs to nobody, so it has no others.",
      );
    }
    return this.found({ owner, spared: id }, detailsOf(options, "killOthers(session, options)"));
  }

  /** Ends all sessions that the query finds. Resolves to how many. */
  found(query: KillQuery, details: KillDetails): Promise<number> {
    const { owner, spared } = query;
    const others = spared === undefined ? "user" : "others";
    return KILLS.hasSubscribers
      ? this.#publishedKill(owner === undefined ? "all" : others, () => this.#found(query, details))
      : this.#found(query, details);
  }

  #found(query: KillQuery, details: KillDetails): Promise<number> {
    const { store, now } = this.#settings;
    const kill = (target: KillTarget) => this.#killed(target, details);
    // Those that can't be read come last: they are found only by reading all sessions, and by then few are left.
    return killLoop([new ReadableTargets(store, query, now, kill), new UnreadableTargets(store, query, kill)]);
  }

  async #killed(target: KillTarget, details: KillDetails): Promise<KillResult> {
    const ended = await this.#end(target, "killed", details);
    if (ended !== "not live") return ended;
    // It was live a moment ago, so clocks don't matter.
    return (await whenReplaced(this.#settings.store, target.id)) === undefined ? "over" : "replaced";
  }

  /** The live session of this id, also one that can't be read. */
  async target(id: string): Promise<KillTarget | undefined> {
    const { store } = this.#settings;
    try {
      return await store.load(id);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
    for await (const unreadable of store.findUnreadable({ id })) return unreadable;
    return { id, owner: "", isUnreadable: true };
  }

  /**
   * Resolves to whether this call ended it. A session that had expired by our clock is ended too, but was over already.
   */
  kill(target: KillTarget, details: KillDetails): Promise<boolean> {
    return KILLS.hasSubscribers
      ? this.#publishedKill("id", () => this.#isKilled(target, details))
      : this.#isKilled(target, details);
  }

  async #isKilled(target: KillTarget, details: KillDetails): Promise<boolean> {
    return (await this.#end(target, "killed", details)) === "killed";
  }

  /** Resolves to `over` where it ended a session that had expired. */
  async #end(
    target: KillTarget,
    reason: EndReason,
    { by, message }: KillDetails,
  ): Promise<"killed" | "over" | "not live"> {
    const { store, now, onEnded } = this.#settings;
    const { id, owner } = target;
    const ending = endingFor(this.#settings, reason, by);
    const ended = await store.end(id, message === undefined ? ending : { ...ending, message });
    if (!ended) return "not live";
    onEnded({ id, owner }, reason);
    return "isUnreadable" in target || !isExpired(target, now()) ? "killed" : "over";
  }

  async #publishedKill<T extends boolean | number>(target: KillMessage["target"], start: () => Promise<T>): Promise<T> {
    const done = (ended: T) => ({ outcome: "done", ended: Number(ended) });
    const failed = (error: unknown) => ({ ended: (error instanceof SessionError ? error.ended : undefined) ?? 0 });
    return published(KILLS, { project: this.#settings.project, target }, { done, failed }, start);
  }

  /**
   * Keeps a user's sessions to `maxSessionsPerUser` after each login. Undefined without a limit, so that no login waits
   * for it.
   */
  get afterLogin(): SessionPolicy["afterLogin"] {
    if (this.#settings.maxSessionsPerUser === Infinity) return undefined;
    return (record, began) => this.#endOldest(record, began === "before" ? record.id : undefined);
  }

  /**
   * Ends the user's oldest sessions in this project, so that `maxSessionsPerUser` stay. Every login calls it once its
   * own session is stored, so the last of many sees them all. All order them alike, so that none ends one that another
   * counts among those that stay. Sessions without a client are no logins, and are left out. `spared` is the id of a
   * session that was there before its user signed in: it may be the oldest, and a user who has signed in just now must
   * not be signed out by it.
   */
  async #endOldest({ owner, project }: Pick<SessionRecord, "owner" | "project">, spared?: string): Promise<void> {
    const { store, now, maxSessionsPerUser } = this.#settings;
    const live: SessionRecord[] = [];
    for await (const record of store.find({ state: "live", owner, project, fields: "header" })) {
      if (!isEnded(record) && !isExpired(record, now()) && record.scope !== CLIENTLESS_SCOPE) live.push(record);
    }
    live.sort((a, b) => Number(b.id === spared) - Number(a.id === spared) || newestFirst(a, b));
    const nobody = { by: null, message: undefined };
    await Promise.all(live.slice(maxSessionsPerUser).map((record) => this.#end(record, "limit", nobody)));
  }
}

/**
 * The message as it is stored; undefined for none. Throws `SESSION_ARGUMENT`, naming the `call`, for anything but
 * options with a message. `more` are names of options that the caller reads itself.
 */
export function messageOf(options: unknown, call: string, more: readonly string[] = []): string | undefined {
  const notAnObject = `${call} takes options such as { message: "Please sign in again." }.`;
  assertCallOptions(options, ["message", ...more], call, notAnObject);
  const { message } = options;
  if (message === undefined || message === "") return undefined;
  if (typeof message === "string" && message.isWellFormed() && message.length <= MAX_MESSAGE_LENGTH) return message;
  throw new SessionError(
    "SESSION_ARGUMENT",
    `${call}: the message must be a string of up to ${MAX_MESSAGE_LENGTH} characters, not ${
      typeof message === "string" ? `one of ${message.length}` : typeof message
    }.`,
  );
}

function detailsOf(options: KillOptions, call: string): KillDetails {
  const message = messageOf(options, call, ["by"]);
  return { by: options.by === undefined ? actor() : byArgument(options.by, call), message };
}

function byArgument(by: unknown, call: string): string {
  if (typeof by !== "string" || by === "") {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `${call}: by must be a name, not ${by === "" ? "an empty string" : kindOf(by)}.`,
    );
  }
  assertUserIdForm(by, `${call}, by`);
  return by;
}

/**
 * The user whose session the running code belongs to; null where that is nobody, or can't be told: a kill does not fail
 * for it.
 */
function actor(): string | null {
  try {
    return currentSession()?.owner ?? null;
  } catch {
    return null;
  }
}

function ownerArgument(user: unknown): string {
  const where = "killSessionByUser(user)";
  if (typeof user !== "string" || user === "") {
    throw new SessionError(
      "SESSION_ARGUMENT",
      `${where} takes a user id, not ${user === "" ? "an empty string" : typeof user}; to end everyone's sessions call killAllSessions().`,
    );
  }
  assertUserIdForm(user, where);
  return user;
}

function newestFirst(a: SessionRecord, b: SessionRecord): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1);
}
