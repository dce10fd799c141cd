import { hash } from "node:crypto";
import { GUEST_USER } from "../../../record/session-record";
import { isSessionId } from "../../../record/token";
import { assertUserIdForm } from "../../../session/session-owner";
import type { KillOptions } from "../../kill";
import type { AskedAction, SessionAdmin } from "../../checked/session-admin";
import { ownerOfUsername } from "../../listing/session-filter";
import type { ConsoleVisit } from "../console-visit";
import { html } from "../parts/html";
import type { Html } from "../parts/html";
import { shareOf } from "../parts/share-bar";
import { counted, foreign } from "../parts/shown-values";

/** A way to end sessions, and whose. */
export interface KillAction {
  /** Names the action and whose sessions it ends: a security key made for one purpose is good for no other. */
  readonly purpose: string;
  /** The path of its form, and of the request that the form sends. */
  readonly path: string;
  readonly question: Html | string;
  /** The text of its button. */
  readonly verb: string;
  /** How many sessions it would end now, in words. */
  readonly extent: (admin: SessionAdmin) => Promise<string>;
  /** The action as the audit records it. */
  readonly asked: AskedAction;
  /** Whether the super-user's own session ends with the others. */
  readonly endsMine: boolean;
  /** Ends them; resolves to how many. */
  readonly run: (admin: SessionAdmin, options: KillOptions) => Promise<number>;
}

/** At most this many sessions of a user are counted one by one. */
const MOST_COUNTED = 1_000;
/** At most this many sessions are ended by their ticks: as many as a page has, and those kept from pages before. */
const MOST_TICKED = 200;

/** The action at a path; undefined where there is none. Throws `SESSION_ARGUMENT` for what can't be a user id. */
export function killActionAt(visit: ConsoleVisit): KillAction | undefined {
  const { path, query } = visit;
  const [, name, target, rest] = path.slice(1).split("/");
  if (rest !== undefined) return undefined;
  if (name === "session") return isSessionId(target) ? ofOne(visit, target) : undefined;
  if (target !== undefined) return undefined;
  if (name === "ticked") return ofTicked(visit, query.getAll("id"));
  if (name === "user") return ofUser(visit, query.get("user") ?? "");
  if (name === "others") return ofAll(visit, true);
  return name === "everyone" ? ofAll(visit, false) : undefined;
}

function ofOne({ base, session }: ConsoleVisit, id: string): KillAction {
  return {
    purpose: `end session ${id}`,
    path: `${base}/end/session/${id}`,
    question: "End this session?",
    verb: "End the session",
    extent: async (admin) => ((await admin.verify(id)) ? "1 session" : "1 session, if it is still live"),
    asked: { action: "kill", id },
    endsMine: id === session.id,
    run: async (admin, options) => ((await admin.kill(id, options)) ? 1 : 0),
  };
}

function ofTicked({ base, session }: ConsoleVisit, given: readonly string[]): KillAction | undefined {
  const ids = [...new Set(given)];
  if (ids.length === 0 || ids.length > MOST_TICKED || !ids.every(isSessionId)) return undefined;
  const query = new URLSearchParams(ids.map((id): [string, string] => ["id", id])).toString();
  return {
    purpose: `end ticked ${hash("sha256", ids.join(" "), "base64url")}`,
    path: `${base}/end/ticked?${query}`,
    question: `End ${ids.length === 1 ? "the ticked session" : `the ${counted(ids.length, "ticked session")}`}?`,
    verb: "End the ticked sessions",
    extent: () => Promise.resolve(counted(ids.length, "session")),
    asked: { action: "kill" },
    endsMine: ids.includes(session.id),
    run: async (admin, options) => {
      let ended = 0;
      // The own session comes last: without it no other could be ended.
      for (const id of [...ids.filter((one) => one !== session.id), ...ids.filter((one) => one === session.id)]) {
        if (await admin.kill(id, options)) ended += 1;
      }
      return ended;
    },
  };
}

function ofUser({ base, session }: ConsoleVisit, username: string): KillAction | undefined {
  if (username === "") return undefined;
  assertUserIdForm(username, "The console");
  const owner = ownerOfUsername(username);
  return {
    purpose: `end user ${owner}`,
    path: endUserPath(base, username),
    question:
      owner === GUEST_USER ? "End the sessions of all guests?" : html`End all sessions of ${foreign(username)}?`,
    verb: owner === GUEST_USER ? "End the sessions of all guests" : "End all of these sessions",
    extent: async (admin) => {
      if (owner === GUEST_USER) return counted(shareOf(await admin.tally()).guests, "session");
      const page = await admin.list({ username, limit: MOST_COUNTED });
      return page.next === undefined
        ? counted(page.length, "session")
        : `more than ${counted(MOST_COUNTED, "session")}`;
    },
    asked: { action: "killByUser", user: owner },
    endsMine: owner === session.owner,
    run: (admin, options) => admin.killByUser(username, options),
  };
}

function ofAll({ base }: ConsoleVisit, keepMine: boolean): KillAction {
  return {
    purpose: keepMine ? "end others" : "end everyone",
    path: `${base}/end/${keepMine ? "others" : "everyone"}`,
    question: keepMine ? "End all sessions but mine?" : "End everyone’s sessions?",
    verb: keepMine ? "End all but mine" : "End everyone’s sessions",
    extent: async (admin) => {
      const tallies = await admin.tally();
      const { signedIn, guests } = shareOf(tallies);
      const projects = new Set(tallies.map(({ project }) => project)).size;
      const sessions = counted(Math.max(0, signedIn + guests - (keepMine ? 1 : 0)), "session");
      return projects > 1 ? `${sessions} in ${projects} projects` : sessions;
    },
    asked: { action: "killAll" },
    endsMine: !keepMine,
    run: (admin, options) => admin.killAll({ ...options, keepMine }),
  };
}

/** The path of the form that ends all sessions of a user; `back` is where one comes back to. */
export function endUserPath(base: string, user: string, back?: string): string {
  const fields = { user, ...(back === undefined ? {} : { back }) };
  return `${base}/end/user?${new URLSearchParams(fields).toString()}`;
}
