import escapeHtml from "escape-html";

/** Markup that is safe to send: its own text was written here, and whatever was filled in is escaped. */
export class Html {
  readonly #markup: string;

  /** @internal `html` makes it. */
  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** What can be filled in: text is escaped, lists are joined, and null, undefined and false leave nothing. */
export type HtmlValue = string | number | Html | readonly HtmlValue[] | null | undefined | false;

/** A template whose values are escaped for element content and for quoted attributes. (OWASP XSS Prevention Cheat Sheet) */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(markupOf)));
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(markupOf).join("");
  return escapeHtml(String(value));
}
