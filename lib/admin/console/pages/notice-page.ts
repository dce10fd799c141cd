import type { ConsoleAnswer } from "../console-visit";
import { html } from "../parts/html";
import { pageFrame } from "../parts/page-frame";

/** What a page that only says something is made of. */
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
