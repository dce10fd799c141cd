import type { SessionTally } from "../../../stores/store";
import type { StoredSessionInfo } from "../../listing/session-info";
import type { SortKey } from "../../listing/sorted-listing";
import type { ConsoleVisit } from "../console-visit";
import type { Column } from "../parts/data-table";
import { html } from "../parts/html";
import type { Html } from "../parts/html";
import { changeBadges } from "../parts/client-change";
import { ago, count, deviceLabel, endLabel, foreign, instant, projectLabel } from "../parts/shown-values";
import { endedByLabel, ownerText, userLink } from "../parts/user-labels";

/** The columns that can be chosen. Of sessions that have ended there is less to show. */
export const COLUMN_NAMES = ["device", "address", "project", "scope", "age", "idle", "expires", "pages"] as const;
export type ColumnName = (typeof COLUMN_NAMES)[number];

export const HEADINGS: Readonly<Record<SortKey, string>> = {
  user: "User",
  device: "Device",
  address: "Address",
  project: "Project",
  scope: "Scope",
  age: "Age",
  idle: "Idle",
  expires: "Expires",
  pages: "Pages",
  ended: "Ended",
  reason: "Reason",
  by: "By",
};

const OF_BOTH = ["device", "address", "project", "scope"] as const;
const OF_ENDED = ["ended", "reason", "by"] as const;

/** What a listing can be sorted by, in the order of its columns. */
export function sortKeysOf(live: boolean): readonly SortKey[] {
  return live ? ["user", ...COLUMN_NAMES] : ["user", ...OF_BOTH, ...OF_ENDED];
}

/** The columns to show where none were chosen: project and scope where there are several. */
export function suitingColumns(tallies: readonly SessionTally[]): readonly ColumnName[] {
  const isSeveral = (name: "project" | "scope") => new Set(tallies.map((group) => group[name])).size > 1;
  return COLUMN_NAMES.filter((name) => (name !== "project" && name !== "scope") || isSeveral(name));
}

/** A column that a listing can be sorted by. */
export interface ListColumn extends Column<StoredSessionInfo> {
  readonly name: SortKey;
}

/** The columns of a listing, without what can be done with a session. */
export function listColumns(visit: ConsoleVisit, live: boolean, chosen: readonly ColumnName[]): ListColumn[] {
  const { now, base, session } = visit;
  const cells: Record<SortKey, ListColumn["cell"]> = {
    user: (info) =>
      html`${userLink(base, info.username)} ${info.id === session.id && html`<span class="badge good">You</span>`}
      ${changeBadges(info)}`,
    device: deviceLabel,
    address: ({ clientAddress }) => html`<code>${clientAddress || "–"}</code>`,
    project: ({ project }) => projectLabel(project),
    scope: ({ sessionScope }) => html`<span class="scope">${foreign(sessionScope)}</span>`,
    age: ({ createdAt }) => ago(createdAt, now),
    idle: ({ lastSeenAt }) => ago(lastSeenAt, now),
    expires: ({ expiresAt }) => (expiresAt === null ? "never" : instant(expiresAt, now)),
    pages: ({ activePages }) => count(activePages),
    ended: ({ endedAt }) => instant(endedAt, now),
    reason: endLabel,
    by: (info) => endedByLabel(base, info),
  };
  const shown = live ? chosen : OF_BOTH.filter((name) => chosen.includes(name));
  const names: readonly SortKey[] = ["user", ...shown, ...(live ? [] : OF_ENDED)];
  return names.map((name) => ({
    name,
    heading: HEADINGS[name],
    cell: cells[name],
    isNumber: name === "pages",
  }));
}

/** What can be done with a session. */
export function actionsColumn({ base }: ConsoleVisit, back: string): Column<StoredSessionInfo> {
  return {
    heading: "Session",
    cell: ({ id, username, endedAt }) => {
      const whose = html`<span class="unseen"> (session of ${ownerText(username)})</span>`;
      return html`<span class="row-actions"
        ><a href="${base}/session/${id}">Details${whose}</a> ${endedAt === null && endLink(base, id, back, whose)}</span
      >`;
    },
  };
}

function endLink(base: string, id: string, back: string, whose: Html): Html {
  const fields = new URLSearchParams({ back }).toString();
  return html`<a class="button small danger" href="${base}/end/session/${id}?${fields}">End…${whose}</a>`;
}
