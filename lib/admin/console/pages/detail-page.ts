import type { AuditEntry } from "../../checked/admin-audit";
import type { AttributeDescription, DataDescription, SessionDescription } from "../../listing/session-info";
import type { SessionInfo } from "../../listing/session-info";
import type { OpenPage } from "../../../session/open-page";
import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { listAddress } from "../list/list-query";
import { clientChange, otherClientText } from "../parts/client-change";
import { dataTable } from "../parts/data-table";
import type { Column } from "../parts/data-table";
import { html } from "../parts/html";
import type { Html, HtmlValue } from "../parts/html";
import { pageFrame } from "../parts/page-frame";
import {
  bytes,
  deviceLabel,
  duration,
  endLabel,
  foreign,
  instant,
  projectLabel,
  shortText,
} from "../parts/shown-values";
import { endedByLabel, isGuest, ownerText, userAddress, userLink } from "../parts/user-labels";

/** How many entries of the audit are shown, latest first. */
const AUDIT_SHOWN = 100;

/** All that an administrator may see of one session. */
export async function detailPage(visit: ConsoleVisit, id: string): Promise<ConsoleAnswer> {
  const { admin, frame, now, auditTrail } = visit;
  const description = await admin.describe(id);
  const trail = await auditTrail?.(id);
  const { info } = description;
  const heading = html`Session of ${ownerText(info.username)}`;
  const content = html`${actions(visit, info)} ${fields(visit, info)} ${openPages(visit, description)}
  ${contents(visit, description)} ${trail !== undefined && audit(visit, trail)}`;
  const tab = `Session of ${isGuest(info.username) ? "a guest" : info.username}`;
  return { status: 200, page: pageFrame({ frame, heading, tab, now, content }) };
}

function actions({ base, session, path }: ConsoleVisit, info: SessionInfo): Html {
  const { id, username, endedAt } = info;
  const back = new URLSearchParams({ back: path }).toString();
  return html`${id === session.id && html`<p class="note">This is the session that you are using now.</p>`}
    ${takenOver(info)}
    <p class="actions">
      ${endedAt === null && html`<a class="button danger" href="${base}/end/session/${id}?${back}">End this session…</a>`}
      ${
        isGuest(username)
          ? html`<a class="button" href="${base}${listAddress({ who: "guests" })}">All sessions of guests</a>`
          : html`<a class="button" href="${base}${userAddress(username)}">All sessions of ${foreign(username)}</a>`
      }
    </p>`;
}

function takenOver(info: SessionInfo): Html | false {
  const change = clientChange(info);
  if (change === undefined) return false;
  const what = [change.device && "device", change.address && "address"].filter(Boolean).join(" and ");
  return html`<p class="note ${change.device && "strong"}">
    The ${what} changed within this session. Addresses change when people travel or switch networks; together with
    another device, it may mean that the cookie was stolen.
  </p>`;
}

function fields({ base, now }: ConsoleVisit, info: SessionInfo): Html {
  const field = (name: string, value: HtmlValue) =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}</dd>
    </div>`;
  const isLive = info.endedAt === null;
  return html`<section class="panel" aria-label="Session">
    <dl class="fields">
      ${field("State", isLive ? html`<span class="badge good">live</span>` : endLabel(info))}
      ${!isLive && [field("Ended", instant(info.endedAt, now)), field("Ended by", endedByLabel(base, info))]}
      ${info.endMessage !== null && field("Message to the user", html`<q>${foreign(info.endMessage)}</q>`)}
      ${field("User", userLink(base, info.username))} ${field("Authorized", info.authorized ? "yes" : "no")}
      ${field("Project", projectLabel(info.project))} ${field("Scope", foreign(info.sessionScope))}
      ${field("Device", deviceLabel(info))} ${field("Address", html`<code>${info.clientAddress || "–"}</code>`)}
      ${
        info.otherClient !== null &&
        field("Also used from", html`${foreign(otherClientText(info))}, since ${instant(info.otherClient.since, now)}`)
      }
      ${field("Started", instant(info.createdAt, now))} ${field("Last seen", instant(info.lastSeenAt, now))}
      ${isLive && field("Expires", info.expiresAt === null ? "never" : instant(info.expiresAt, now))}
      ${field(isLive ? "Age" : "Lasted for", duration(info.uptime))} ${isLive && field("Idle", duration(info.lastComm))}
      ${isLive && field("Sent by the browser, last request", bytes(info.recentBytesSent))}
      ${field("Sent by the browser, in total", bytes(info.totalBytesSent))}
      ${field("Id", html`<code class="long">${info.id}</code>`)}
      ${field("User agent", html`<code class="long">${info.userAgent || "–"}</code>`)}
    </dl>
  </section>`;
}

function openPages({ now }: ConsoleVisit, { info, pages }: SessionDescription): Html | false {
  if (info.endedAt !== null) return false;
  const columns: Column<OpenPage>[] = [
    { heading: "Path", cell: ({ path }) => html`<code class="long">${foreign(shortText(path) || "–")}</code>` },
    { heading: "Title", cell: ({ title }) => html`<span class="long">${foreign(shortText(title) || "–")}</span>` },
    { heading: "Open since", cell: ({ openedAt }) => instant(openedAt, now) },
    { heading: "Last seen", cell: ({ seenAt }) => instant(seenAt, now) },
  ];
  return html`<section>
    <h2>Open pages</h2>
    ${
      pages.length === 0
        ? html`<p class="empty">No page of this session is open.</p>`
        : dataTable({ caption: "Pages that are open now, the one opened first at the top", columns, rows: pages })
    }
  </section>`;
}

function contents({ now }: ConsoleVisit, { info, data, attributes }: SessionDescription): Html | false {
  if (info.endedAt !== null) return false;
  const ofBoth: Column<DataDescription>[] = [
    { heading: "Name", cell: ({ name }) => html`<code>${foreign(name)}</code>` },
    { heading: "Size", cell: (one) => bytes(one.bytes), isNumber: true },
  ];
  const ofAttributes: Column<AttributeDescription>[] = [
    ...ofBoth,
    { heading: "Encrypted", cell: ({ encrypted }) => (encrypted ? "yes" : "no") },
    { heading: "Created", cell: ({ createdAt }) => instant(createdAt, now) },
    { heading: "Changed", cell: ({ modifiedAt }) => instant(modifiedAt, now) },
    {
      heading: "Expires",
      cell: ({ expiresAt }) => (expiresAt === null ? "with the session" : instant(expiresAt, now)),
    },
  ];
  return html`<section>
      <h2>Data</h2>
      ${
        data.length === 0
          ? html`<p class="empty">This session has no data.</p>`
          : dataTable({ caption: "Keys of the data; values are not shown", columns: ofBoth, rows: data })
      }
    </section>
    <section>
      <h2>Attributes</h2>
      ${
        attributes.length === 0
          ? html`<p class="empty">This session has no attributes.</p>`
          : dataTable({ caption: "Attributes; values are not shown", columns: ofAttributes, rows: attributes })
      }
    </section>`;
}

function audit({ base, now }: ConsoleVisit, trail: readonly AuditEntry[]): Html {
  // Of entries of the same millisecond, a log has the latest at its end.
  const latest = [...trail]
    .reverse()
    .sort((a, b) => millisOf(b) - millisOf(a))
    .slice(0, AUDIT_SHOWN);
  const columns: Column<AuditEntry>[] = [
    { heading: "Action", cell: ({ action }) => html`<code>${action}</code>` },
    { heading: "When", cell: ({ at }) => instant(new Date(at), now) },
    {
      heading: "Who",
      cell: ({ actor }) => (actor === null ? html`<span class="none">nobody</span>` : userLink(base, actor)),
    },
    { heading: "From", cell: ({ remoteAddress }) => html`<code>${remoteAddress || "–"}</code>` },
    {
      heading: "Result",
      cell: ({ result, reason }) =>
        html`<span class="badge ${result !== "allowed" && "strong"}">${result}</span> ${reason}`,
    },
    { heading: "Correlation id", cell: ({ correlationId }) => html`<code class="long">${correlationId}</code>` },
  ];
  return html`<section>
    <h2>Audit</h2>
    ${
      latest.length === 0
        ? html`<p class="empty">Nothing is recorded about this session.</p>`
        : dataTable({ caption: "What was done with this session, latest first", columns, rows: latest })
    }
  </section>`;
}

/** An audit that was stored as JSON has its instants as text. */
function millisOf({ at }: AuditEntry): number {
  return new Date(at).getTime();
}
