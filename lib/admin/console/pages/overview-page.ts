import type { SessionTally } from "../../../stores/store";
import type { SessionInfo } from "../../listing/session-info";
import type { SessionPage } from "../../listing/session-reader";
import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { dataTable } from "../parts/data-table";
import { html } from "../parts/html";
import type { Html } from "../parts/html";
import { pageFrame } from "../parts/page-frame";
import { shareBar, shareOf } from "../parts/share-bar";
import type { Share } from "../parts/share-bar";
import { count, deviceLabel, endLabel, instant, projectLabel } from "../parts/shown-values";
import { endedByLabel, isGuest, ownerText, userLink } from "../parts/user-labels";
import { listAddress } from "../list/list-query";

/** Ended sessions come in no particular order: this many are read, and the latest of them shown. */
const ENDED_LOOKED_AT = 300;
const ENDED_SHOWN = 10;

interface Place extends Share {
  readonly project: string;
  readonly scope: string;
}

/** How many sessions are live, where, and which ended lately. The store counts them. */
export async function overviewPage(visit: ConsoleVisit): Promise<ConsoleAnswer> {
  const { admin, base, frame, now } = visit;
  const [{ tallies, countedAt }, ended] = await Promise.all([visit.tally(), admin.lately(ENDED_LOOKED_AT)]);
  const content = html`${numbers(shareOf(tallies))}
    ${now > countedAt && html`<p class="hint">Counted ${instant(new Date(countedAt), now)}.</p>`}
    ${places(visit, placesOf(tallies))} ${lately(visit, ended)}
    <section aria-labelledby="end">
      <h2 id="end">End sessions</h2>
      <p>Everyone who is signed out has to sign in again. You will be asked first.</p>
      <p class="actions">
        <a class="button danger" href="${base}/end/others">End all but mine…</a>
        <a class="button danger" href="${base}/end/everyone">End everyone’s…</a>
      </p>
    </section>`;
  return {
    status: 200,
    page: pageFrame({ frame, heading: "Overview", here: "overview", now, isLive: true, content }),
  };
}

function numbers(share: Share): Html {
  const live = share.signedIn + share.guests;
  const figure = (name: string, value: number, legend?: string) =>
    html`<div class="figure">
      <dt>${legend !== undefined && html`<span class="legend ${legend}"></span>`}${name}</dt>
      <dd>${count(value)}</dd>
    </div>`;
  return html`<section class="panel" aria-label="Live now">
    <dl class="figures">
      ${figure("Live now", live)} ${figure("Signed in", share.signedIn, "signed-in")}
      ${figure("Guests", share.guests, "guests")}
    </dl>
    ${shareBar(share, live)}
  </section>`;
}

function places({ base }: ConsoleVisit, rows: readonly Place[]): Html {
  if (rows.length === 0) return html`<p class="empty">Nobody is here right now.</p>`;
  const most = Math.max(...rows.map(({ signedIn, guests }) => signedIn + guests));
  const columns = [
    {
      heading: "Project",
      cell: ({ project, scope }: Place) =>
        html`<a href="${base}${listAddress({ project, scope })}">${projectLabel(project)}</a>`,
    },
    { heading: "Scope", cell: ({ scope }: Place) => scope },
    { heading: "Signed in", cell: ({ signedIn }: Place) => count(signedIn), isNumber: true },
    { heading: "Guests", cell: ({ guests }: Place) => count(guests), isNumber: true },
    { heading: "Live", cell: ({ signedIn, guests }: Place) => count(signedIn + guests), isNumber: true },
    { heading: "Share", cell: (place: Place) => shareBar(place, most) },
  ];
  return html`<section>
    <h2>By project and scope</h2>
    ${dataTable({
      caption: "Live sessions by project and scope",
      columns,
      rows,
      keyOf: ({ project, scope }: Place) => `${project} ${scope}`,
    })}
  </section>`;
}

function lately({ base, now }: ConsoleVisit, ended: SessionPage): Html {
  const latest = ended
    .filter(isNoLogin)
    .sort((a, b) => Number(b.endedAt) - Number(a.endedAt))
    .slice(0, ENDED_SHOWN);
  const columns = [
    {
      heading: "User",
      cell: ({ username }: SessionInfo) => userLink(base, username),
    },
    { heading: "Ended", cell: ({ endedAt }: SessionInfo) => instant(endedAt, now) },
    { heading: "Reason", cell: endLabel },
    { heading: "By", cell: (info: SessionInfo) => endedByLabel(base, info) },
    { heading: "Device", cell: deviceLabel },
    {
      heading: "Session",
      cell: ({ id, username }: SessionInfo) =>
        html`<a href="${base}/session/${id}"
          >Details<span class="unseen"> (session of ${ownerText(username)})</span></a
        >`,
    },
  ];
  return html`<section>
    <h2>Ended lately</h2>
    ${
      latest.length === 0
        ? html`<p class="empty">No session ended lately.</p>`
        : html`${dataTable({ caption: "Sessions that ended lately", columns, rows: latest, keyOf: ({ id }) => id })}
            <p class="more">
              ${ended.next !== undefined && `These are the latest of ${ENDED_LOOKED_AT} that were looked at. `}
              <a href="${base}${listAddress({ live: false })}">All sessions that ended or expired</a>
            </p>`
    }
  </section>`;
}

/** A guest's session that a login ended lives on as that of its user: nobody was signed out. */
function isNoLogin({ username, endReason }: SessionInfo): boolean {
  return !(isGuest(username) && endReason === "login");
}

function placesOf(tallies: readonly SessionTally[]): readonly Place[] {
  const places = new Map<string, Place>();
  for (const { project, scope, ...group } of tallies) {
    const place = JSON.stringify([project, scope]);
    const { signedIn, guests } = places.get(place) ?? { signedIn: 0, guests: 0 };
    const own = shareOf([{ project, scope, ...group }]);
    places.set(place, { project, scope, signedIn: signedIn + own.signedIn, guests: guests + own.guests });
  }
  return [...places.values()].sort((a, b) => b.signedIn + b.guests - (a.signedIn + a.guests));
}
