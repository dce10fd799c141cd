import { SessionError, isUnreadable } from "../../errors";
import { isExpired } from "../../record/expiry";
import { isSessionId, sessionIdOf } from "../../record/token";
import { GUEST_USER } from "../../record/session-record";
import type { SessionRecord } from "../../record/session-record";
import type { Session } from "../../session/session";
import { isTrue } from "../listing/session-reader";
import type { ResolvedAdminContext } from "./admin-context";

/** Whether a user may administer all sessions; `session` is the acting one. May be async. */
export type IsSuperUser = (user: string, session: Pick<Session, "id">) => boolean | Promise<boolean>;

/** Whether a user's password has expired; may be async. */
export type IsPasswordExpired = (user: string) => boolean | Promise<boolean>;

/** What the checks of a call use. */
export interface AdminRules {
  readonly load: (id: string) => SessionRecord | undefined | Promise<SessionRecord | undefined>;
  readonly now: () => number;
  readonly isSuperUser: IsSuperUser;
  readonly isPasswordExpired: IsPasswordExpired;
}

/** Why a call was refused, for the audit alone: the caller sees the same for every refusal. */
export type RefusalReason =
  "acting session over" | "not a super-user" | "target not live" | "password expired" | "no valid key";

/** A live session, or why it can't be read. */
interface Found {
  readonly record?: SessionRecord;
  readonly unreadable?: SessionError | undefined;
}

/** A call that was refused. The message is the same for every reason, whether or not there is such a session. */
export class Refusal extends SessionError {
  readonly #reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(
      "NOT_ALLOWED",
      "This is not allowed. Only a super-user (option isSuperUser) may see and end other users' sessions; everyone may list and end their own.",
    );
    this.#reason = reason;
  }

  /** Not a property, so that nothing that prints an error prints it. */
  static reasonOf(refusal: Refusal): RefusalReason {
    return refusal.#reason;
  }
}

/** The checks of one call, and what they find out for the audit. */
export class AdminCall {
  /** The owner of the acting session, once it is known; null for nobody. */
  actor: string | null = null;
  /** The user acted for, as far as that is known. */
  actingFor: string | undefined;
  targetId: string | null = null;
  targetUser: string | null = null;
  /** How many sessions it ended. */
  ended: number | undefined;
  /** Whether it failed before it had ended all. */
  isUnfinished = false;
  /** Why the target can't be read. */
  #unreadable: SessionError | undefined;
  /** The id of the acting session. */
  readonly actingId: string | undefined;
  #isSuperUser = false;
  readonly #rules: AdminRules;
  readonly #context: ResolvedAdminContext;

  constructor(rules: AdminRules, context: ResolvedAdminContext) {
    this.#rules = rules;
    this.#context = context;
    this.actingId = context.session?.id;
  }

  /** Refuses unless the acting session is live in the store now. Called before anything else. */
  async begin(): Promise<void> {
    const { session } = this.#context;
    const acting = session === null ? undefined : await this.#live(session.id);
    if (session === null || acting === undefined) throw new Refusal("acting session over");
    if (acting.owner === GUEST_USER) return;
    this.actor = acting.owner;
    this.#isSuperUser = await isTrue("isSuperUser", this.#rules.isSuperUser(acting.owner, session));
  }

  assertSuperUser(): void {
    if (!this.#isSuperUser) throw new Refusal("not a super-user");
  }

  /** Returns the user. Refuses anyone who is neither this user nor a super-user, and null. */
  assertUser(user: string | null): string {
    this.targetUser = user;
    if (user === null || (user !== this.actor && !this.#isSuperUser)) throw new Refusal("not a super-user");
    return user;
  }

  /**
   * The live record that the call is about; undefined where there is none. Refuses everyone but super-users, unless
   * `isOwn` lets people do this to their own sessions. It makes the same store calls whether or not there is such a
   * session. Only super-users learn, by `SESSION_UNREADABLE`, that there is one that can't be read.
   */
  async target(id: unknown, isOwn: "own too" | "super-users only"): Promise<SessionRecord | undefined> {
    const record = await this.#named(id);
    const isMine = isOwn === "own too" && this.actor !== null && record?.owner === this.actor;
    if (!isMine) this.assertSuperUser();
    if (this.#unreadable !== undefined) throw this.#unreadable;
    return record;
  }

  /** Refuses where there is no live target, or where its user's password has expired. */
  async assertReadable(target: SessionRecord | undefined): Promise<SessionRecord> {
    if (target === undefined) throw new Refusal("target not live");
    if (await this.isPasswordExpired(target)) throw new Refusal("password expired");
    return target;
  }

  async isPasswordExpired({ owner }: SessionRecord): Promise<boolean> {
    return owner !== GUEST_USER && (await isTrue("isPasswordExpired", this.#rules.isPasswordExpired(owner)));
  }

  /** What was given as an id may be a token, which is never kept and opens nothing here. */
  async #named(id: unknown): Promise<SessionRecord | undefined> {
    if (!isSessionId(id)) return undefined;
    const idOfToken = sessionIdOf(id);
    const [named, ofToken] = await Promise.all([this.#found(id), this.#found(idOfToken)]);
    this.targetId = ofToken === undefined ? id : idOfToken;
    this.targetUser = (named ?? ofToken)?.record?.owner ?? null;
    this.#unreadable = named?.unreadable;
    return named?.record;
  }

  async #found(id: string): Promise<Found | undefined> {
    try {
      const record = await this.#live(id);
      return record && { record };
    } catch (error) {
      if (isUnreadable(error)) return { unreadable: error };
      throw error;
    }
  }

  async #live(id: string): Promise<SessionRecord | undefined> {
    const record = await this.#rules.load(id);
    return record === undefined || isExpired(record, this.#rules.now()) ? undefined : record;
  }
}
