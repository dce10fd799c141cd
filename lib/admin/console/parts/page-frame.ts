import { SCRIPT_ASSET, STYLE_ASSET } from "./console-assets";
import { html } from "./html";
import type { Html } from "./html";

/** What every page has. */
export interface PageFrame {
  readonly base: string;
  /** What the console is called. */
  readonly title: string;
  /** What this page is called; also its first heading. */
  readonly heading: Html | string;
  /** The same without markup, for the browser's tab. */
  readonly tab?: string;
  readonly here?: "overview" | "list";
  /** The instant that its relative times were told from, for the script to go on from there. */
  readonly now?: number;
  /** Whether it leads to the other pages; not for who may not see them. Default true. */
  readonly hasNavigation?: boolean;
  readonly content: Html;
}

/** A whole page. It asks for nothing but the console's own style and script, and does without either. */
export function pageFrame({ base, title, heading, tab, here, now, hasNavigation = true, content }: PageFrame): Html {
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
        <main id="content" class="wrap" tabindex="-1" data-now="${now}">
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
