import type { ConsoleAnswer } from "../console-visit";
import { SCRIPT_ASSET, STYLE_ASSET } from "./console-assets";
import { html } from "./html";
import type { Html } from "./html";

/** The parts of every page. */
export interface PageFrame {
  readonly base: string;
  /** The title of the console. */
  readonly title: string;
  /** The title of this page, and its first heading. */
  readonly heading: Html | string;
  /** The heading without markup, for the browser's tab. */
  readonly tab?: string;
  readonly here?: "overview" | "list";
  /** The instant that its relative times are counted from, so that the script can go on from there. */
  readonly now?: number;
  /** Whether the page updates itself while somebody looks at it. Default false. */
  readonly isLive?: boolean;
  /** Whether it links to the other pages, which not everyone may see. Default true. */
  readonly hasNavigation?: boolean;
  readonly content: Html;
}

/** How often a page updates itself, in milliseconds. */
const UPDATE_MS = 5_000;

/** A whole page. It loads only the console's own style and script, and works without either. */
export function pageFrame({
  base,
  title,
  heading,
  tab,
  here,
  now,
  isLive = false,
  hasNavigation = true,
  content,
}: PageFrame): Html {
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
            ${hasNavigation && navigation(base, here)}
          </div>
        </header>
        <main id="content" class="wrap" tabindex="-1" data-now="${now}" data-live="${isLive && UPDATE_MS}">
          <h1>${heading}</h1>
          ${content}
        </main>
      </body>
    </html> `;
}

function navigation(base: string, here: "overview" | "list" | undefined): Html {
  return html`<nav aria-label="Console">
      <a href="${base}/" ${here === "overview" && html`aria-current="page"`}>Overview</a>
      <a href="${base}/list" ${here === "list" && html`aria-current="page"`}>List</a>
    </nav>
    <form class="search" method="get" action="${base}/list" role="search">
      <input
        name="user"
        type="search"
        aria-label="User"
        placeholder="Find a user"
        autocapitalize="none"
        spellcheck="false"
        maxlength="1024"
      />
      <button>Search</button>
    </form>`;
}

/** The parts of a page that only says something. */
export interface Notice {
  readonly base: string;
  readonly title: string;
  readonly status: number;
  readonly heading: string;
  readonly text: string;
  /** Default true. */
  readonly hasNavigation?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A page that says what is wrong. */
export function noticePage({
  base,
  title,
  status,
  heading,
  text,
  hasNavigation = true,
  headers,
}: Notice): ConsoleAnswer {
  const content = html`<p class="lead">${text}</p>
    ${hasNavigation && html`<p><a class="button" href="${base}/">Go to the overview</a></p>`}`;
  const page = pageFrame({ base, title, heading, hasNavigation, content });
  return { status, page, ...(headers === undefined ? {} : { headers }) };
}
