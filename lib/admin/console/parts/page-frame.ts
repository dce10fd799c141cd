import type { ConsoleAnswer } from "../console-visit";
import { SCRIPT_ASSET, STYLE_ASSET } from "./console-assets";
import { html } from "./html";
import type { Html, HtmlValue } from "./html";
import { counted, foreign } from "./shown-values";
import { userAddress } from "./user-labels";

/** What all pages of one request have around them. */
export interface Frame {
  readonly base: string;
  /** The title of the console. */
  readonly title: string;
  /** The path of the app, to go back to; undefined for no link. */
  readonly home: string | undefined;
  /** Who looks at it; absent for somebody who may not. */
  readonly visitor?: FrameVisitor;
}

export interface FrameVisitor {
  readonly user: string;
  /** The form that signs the visitor out; undefined for none. */
  readonly signOut: { readonly action: string; readonly fields: readonly (readonly [string, string])[] } | undefined;
  /** How many sessions the visitor has just ended; undefined for nothing to say. */
  readonly ended: number | undefined;
}

/** The parts of a page. */
export interface FramedPage {
  readonly frame: Frame;
  /** The title of this page, and its first heading. */
  readonly heading: Html | string;
  /** The heading without markup, for the browser's tab. */
  readonly tab?: string;
  readonly here?: "overview" | "list";
  /** The instant that its relative times are counted from, so that the script can go on from there. */
  readonly now?: number;
  /** Whether the page updates itself while somebody looks at it. Default false. */
  readonly isLive?: boolean;
  /** Whether it links to the other pages. Default true, for those who may see them. */
  readonly hasNavigation?: boolean;
  readonly content: HtmlValue;
}

/** How often a page updates itself, in milliseconds. */
const UPDATE_MS = 5_000;

/** A whole page. It loads only the console's own style and script, and works without either. */
export function pageFrame(page: FramedPage): Html {
  const { frame, heading, tab, here, now, isLive = false, content } = page;
  const { base, title, visitor } = frame;
  const hasNavigation = (page.hasNavigation ?? true) && visitor !== undefined;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${tab ?? heading.toString()} · ${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${base}${STYLE_ASSET.path}" />
        <script defer src="${base}${SCRIPT_ASSET.path}"></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <div class="wrap">
            <p class="brand">${hasNavigation ? html`<a href="${base}/">${title}</a>` : title}</p>
            ${hasNavigation && navigation(base, here)} ${account(frame, hasNavigation)}
          </div>
        </header>
        <main id="content" class="wrap" tabindex="-1" data-now="${now}" data-live="${isLive && UPDATE_MS}">
          ${visitor?.ended !== undefined && doneNote(visitor.ended)}
          <h1>${heading}</h1>
          ${content}
        </main>
      </body>
    </html> `;
}

/** Says what was done. It has the focus, so that it is read first, and updates of the page leave it alone. */
function doneNote(ended: number): Html {
  const text =
    ended === 0
      ? "Nothing was left to end: it was over already."
      : `${counted(ended, "session")} ended. Anyone who was signed in there is signed out now.`;
  return html`<p class="note good" role="status" tabindex="-1" autofocus data-key="done" data-keep>${text}</p>`;
}

function navigation(base: string, here: "overview" | "list" | undefined): Html {
  return html`<nav aria-label="Console">
      <a href="${base}/" ${here === "overview" && html`aria-current="page"`}>Overview</a>
      <a href="${base}/list" ${here === "list" && html`aria-current="page"`}>List</a>
    </nav>
    <form class="search" method="get" action="${base}/list" role="search">
      <input
        name="q"
        type="search"
        aria-label="Find a user, an id or an address"
        placeholder="User, id or address"
        autocapitalize="none"
        spellcheck="false"
        maxlength="1024"
      />
      <button>Search</button>
    </form>`;
}

function account({ base, home, visitor }: Frame, hasNavigation: boolean): Html {
  return html`<div class="account">
    ${home !== undefined && html`<a href="${home}">Back to the app</a>`}
    ${hasNavigation && visitor !== undefined && signedInAs(base, visitor)}
  </div>`;
}

function signedInAs(base: string, { user, signOut }: FrameVisitor): Html {
  return html`<span class="signed-in-as">Signed in as <a href="${base}${userAddress(user)}">${foreign(user)}</a></span>
    ${
      signOut !== undefined &&
      html`<form method="post" action="${signOut.action}">
        ${signOut.fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        <button>Sign out</button>
      </form>`
    }`;
}

/** The parts of a page that only says something. */
export interface Notice {
  readonly frame: Frame;
  readonly status: number;
  readonly heading: string;
  readonly text: string;
  /** Where its link leads, inside the console, and what it is called. Default: the overview. */
  readonly link?: readonly [address: string, text: string];
  /** Default true, for those who may see the other pages. */
  readonly hasNavigation?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A page that says what is wrong. */
export function noticePage({
  frame,
  status,
  heading,
  text,
  link,
  hasNavigation = true,
  headers,
}: Notice): ConsoleAnswer {
  const [address, name] = link ?? ["/", "Go to the overview"];
  const content = html`<p class="lead">${text}</p>
    ${
      hasNavigation &&
      frame.visitor !== undefined &&
      html`<p><a class="button" href="${frame.base}${address}">${name}</a></p>`
    }`;
  const page = pageFrame({ frame, heading, hasNavigation, content });
  return { status, page, ...(headers === undefined ? {} : { headers }) };
}
