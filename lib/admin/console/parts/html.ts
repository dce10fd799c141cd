import escapeHtml from "escape-html";

/** Markup that is safe to send: the template is ours, and every value filled in is escaped. */
export class Html {
  readonly #markup: string;

  /** @internal Made by `html`. */
  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** A value to fill in: text is escaped, lists are joined, and null, undefined and false become nothing. */
export type HtmlValue = string | number | Html | readonly HtmlValue[] | null | undefined | false;

/** A template whose values are escaped for element content and quoted attributes. (OWASP XSS Prevention Cheat Sheet) */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(markupOf)));
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(markupOf).join("");
  return escapeHtml(String(value));
}
