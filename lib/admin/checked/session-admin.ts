import { SessionError, isUnreadable } from "../../errors";
import type { SessionTally } from "../../stores/store";
import { AdminCall, Refusal } from "./admin-call";
import type { Administration } from "./administration";
import type { AdminAction } from "./admin-audit";
import { record as auditCall } from "./admin-audit";
import type { ResolvedAdminContext } from "./admin-context";
import type { KillQuery, KillTarget } from "../kill-targets";
import { messageOf } from "../kill";
import type { KillOptions } from "../kill";
import { assertFilter, ownerOfUsername } from "../listing/session-filter";
import type { SessionFilter } from "../listing/session-filter";
import { describeSession } from "../listing/session-info";
import type { SessionDescription, SessionInfo, StoredSessionInfo } from "../listing/session-info";
import type { SessionPage } from "../listing/session-reader";
import type { SessionSearch } from "../listing/session-search";
import { eachFound, sortedPart } from "../listing/sorted-listing";
import type { SortedPart, SortedQuery } from "../listing/sorted-listing";

/** The action that a form asks for, and whose sessions it is about. */
export interface AskedAction {
  readonly action: AdminAction;
  /** The id of the session. */
  readonly id?: string;
  /** The owner of the sessions. */
  readonly user?: string;
}

/** The options of a kill on behalf of a person, who is the one that `SessionInfo.endedBy` names. */
export type CheckedKillOptions = Omit<KillOptions, "by">;

/** How everyone's sessions are ended. */
export interface KillAllOptions extends CheckedKillOptions {
  /** Leave the acting session live. Default false. */
  readonly keepMine?: boolean;
}

/** The actions that only read. */
const LOOKS: ReadonlySet<AdminAction> = new Set(["enter", "verify", "list", "lately", "describe", "tally"]);

/**
 * Shows and ends sessions on behalf of a person. Each call is checked: the acting session must be live in the store,
 * and its user a super-user (option `isSuperUser`), unless the call is one that people may make about their own
 * sessions. A refused call rejects with `NOT_ALLOWED` (403), the same whether or not there is such a session. Each
 * call, allowed or not, makes one entry for the option `audit`.
 */
export class SessionAdmin {
  readonly #administration: Administration;
  readonly #context: ResolvedAdminContext;

  /** @internal Made by `Sessions.admin`. */
  constructor(administration: Administration, context: ResolvedAdminContext) {
    this.#administration = administration;
    this.#context = context;
  }

  /** Only the check: resolves for a super-user, and rejects for everyone else. */
  enter(): Promise<void> {
    return this.#checked("enter", async (call) => call.assertSuperUser());
  }

  /** The info about a live session whose user's password has not expired. Reading does not renew the session. */
  get(id: string): Promise<SessionInfo> {
    return this.#checked("get", async (call) => {
      const target = await call.assertReadable(await call.target(id, "super-users only"));
      return this.#administration.reader.info(target);
    });
  }

  /** Whether a session is live and its user's password has not expired. */
  verify(id: string): Promise<boolean> {
    return this.#checked("verify", async (call) => {
      const target = await call.target(id, "super-users only");
      return target !== undefined && !(await call.isPasswordExpired(target));
    });
  }

  /** The sessions that match the filter. Users who aren't super-users may list their own, by `username`. */
  list(filter: SessionFilter = {}): Promise<SessionPage> {
    return this.#checked("list", async (call) => {
      assertFilter(filter);
      // A copy: what is listed is what was checked, even if the app changes the filter meanwhile.
      const asked = { ...filter };
      this.#assertMayList(call, asked);
      return this.#administration.reader.page(asked);
    });
  }

  /**
   * A part of a sorted listing.
   * @internal For the console.
   */
  sorted(query: SortedQuery): Promise<SortedPart> {
    return this.#checked("list", async (call) => {
      this.#assertMayList(call, query);
      return sortedPart(this.#administration.reader, query);
    });
  }

  /**
   * Up to `limit` of the sessions that are searched for. The audit has an entry when it begins.
   * @internal For the console.
   */
  export(search: SessionSearch & { readonly limit: number }): Promise<AsyncGenerator<StoredSessionInfo>> {
    return this.#checked("export", async (call) => {
      this.#assertMayList(call, search);
      return eachFound(this.#administration.reader, search);
    });
  }

  /**
   * Up to `limit` sessions that were ended lately, in no particular order. `list` with `live: false` has the expired
   * ones too.
   */
  lately(limit: number): Promise<SessionPage> {
    return this.#checked("lately", async (call) => {
      assertFilter({ limit });
      call.assertSuperUser();
      return this.#administration.reader.lately(limit);
    });
  }

  /** A session, live or lately ended, with the names and sizes of what is in it. */
  describe(id: string): Promise<SessionDescription> {
    return this.#checked("describe", async (call) => {
      const { reader, now } = this.#administration;
      const live = await call.target(id, "super-users only");
      const record = live ?? (call.targetId === id ? await reader.record(id) : undefined);
      if (record === undefined) throw new Refusal("target not live");
      call.targetUser = record.owner;
      if (live !== undefined) await call.assertReadable(live);
      return describeSession(record, await reader.info(record), now());
    });
  }

  /** How many sessions are live, by project, scope, and guest or not. */
  tally(): Promise<readonly SessionTally[]> {
    return this.#checked("tally", async (call) => {
      call.assertSuperUser();
      return this.#administration.tally();
    });
  }

  /** Ends a session; everyone may end their own. Resolves to whether it was live until now. */
  kill(id: string, options: CheckedKillOptions = {}): Promise<boolean> {
    return this.#checked("kill", async (call) => {
      const message = messageOf(options, "kill(id, options)");
      const target = await this.#killTarget(call, id);
      const isEnded =
        target !== undefined && (await this.#administration.kill.kill(target, { by: call.actor, message }));
      call.ended = isEnded ? 1 : 0;
      return isEnded;
    });
  }

  /**
   * Ends all sessions of a user, or of guests with `GUEST_USER` or `"Unauthenticated"`; everyone may end their own.
   * Resolves to how many it ended.
   */
  killByUser(user: string, options: CheckedKillOptions = {}): Promise<number> {
    return this.#checked("killByUser", async (call) => {
      const message = messageOf(options, "killByUser(user, options)");
      if (typeof user !== "string" || user === "") {
        throw new SessionError(
          "SESSION_ARGUMENT",
          "killByUser(user) takes a user id; call killAll() to end everyone's sessions.",
        );
      }
      const owner = call.assertUser(ownerOfUsername(user));
      return this.#killFound(call, { owner }, message);
    });
  }

  /** Ends all sessions of the acting session's user but the acting one. Resolves to how many it ended. */
  killOthers(options: CheckedKillOptions = {}): Promise<number> {
    return this.#checked("killOthers", async (call) => {
      const message = messageOf(options, "killOthers(options)");
      const owner = call.assertUser(call.actor);
      return this.#killFound(call, { owner, spared: call.actingId }, message);
    });
  }

  /** Ends everyone's sessions. Resolves to how many it ended. */
  killAll(options: KillAllOptions = {}): Promise<number> {
    return this.#checked("killAll", async (call) => {
      const message = messageOf(options, "killAll(options)", ["keepMine"]);
      call.assertSuperUser();
      return this.#killFound(call, options.keepMine === true ? { spared: call.actingId } : {}, message);
    });
  }

  /** Renews a live session's idle limit, as a request of its own would; its absolute limit stays. */
  renew(id: string): Promise<SessionInfo> {
    return this.#checked("renew", async (call) => {
      await call.assertReadable(await call.target(id, "super-users only"));
      const renewed = await this.#administration.renew(id);
      if (renewed === undefined) throw new Refusal("target not live");
      return this.#administration.reader.info(renewed);
    });
  }

  /**
   * Records for the audit that a form came without a valid security key, and rejects as every refusal does.
   * @internal For the console.
   */
  refuseForm({ action, id, user }: AskedAction): Promise<never> {
    return this.#checked(action, async (call) => {
      if (id !== undefined) await call.target(id, "super-users only");
      if (user !== undefined) call.targetUser = user;
      throw new Refusal("no valid key");
    });
  }

  #assertMayList(call: AdminCall, { username }: SessionFilter): void {
    call.targetUser = typeof username === "string" ? ownerOfUsername(username) : null;
    if (call.targetUser === null) call.assertSuperUser();
    else call.assertUser(call.targetUser);
  }

  async #killTarget(call: AdminCall, id: string): Promise<KillTarget | undefined> {
    try {
      return await call.target(id, "own too");
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const target = await this.#administration.kill.target(id);
      if (target !== undefined && target.owner !== "") call.targetUser = target.owner;
      return target;
    }
  }

  async #killFound(call: AdminCall, query: KillQuery, message: string | undefined): Promise<number> {
    try {
      return (call.ended = await this.#administration.kill.found(query, { by: call.actor, message }));
    } catch (error) {
      call.isUnfinished = true;
      call.ended = error instanceof SessionError ? (error.ended ?? 0) : 0;
      throw error;
    }
  }

  /** Does the work if it is allowed, and records for the audit how it went. */
  #checked<T>(action: AdminAction, work: (call: AdminCall) => Promise<T>): Promise<T> {
    return this.#administration.given(() => this.#audited(action, work));
  }

  async #audited<T>(action: AdminAction, work: (call: AdminCall) => Promise<T>): Promise<T> {
    const call = new AdminCall(this.#administration, this.#context);
    try {
      call.actingFor = this.#context.actingFor ?? this.#administration.actingFor();
      await call.begin();
      const result = await work(call);
      this.#audit(action, call, "allowed", null);
      return result;
    } catch (error) {
      if (error instanceof Refusal) this.#audit(action, call, "refused", Refusal.reasonOf(error));
      else this.#audit(action, call, "failed", error instanceof SessionError ? error.code : "an error of the app's");
      throw error;
    }
  }

  #audit(action: AdminAction, call: AdminCall, result: "allowed" | "refused" | "failed", reason: string | null): void {
    const { audit, now, onError } = this.#administration;
    const { correlationId, app, remoteAddress, wasTold } = this.#context;
    if (result === "allowed" && LOOKS.has(action) && wasTold?.(`${action} ${call.targetId ?? ""}`) === true) return;
    const { actor, actingFor, targetId: target, targetUser, ended, isUnfinished } = call;
    const context = { correlationId, app, remoteAddress, ...(actingFor === undefined ? {} : { actingFor }) };
    const known = { actor, action, target, targetUser, result, reason };
    const count = { ...(ended === undefined ? {} : { ended }), ...(isUnfinished ? { unfinished: true as const } : {}) };
    auditCall(audit, { at: new Date(now()), ...context, ...known, ...count }, onError);
  }
}
