interface Kept {
  readonly origin: string;
  readonly path: string;
  readonly value: string;
}

/** A page that a `FormBrowser` shows. */
export interface ShownPage {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

/** A browser without scripts: it keeps the cookies of each origin and path, follows redirects, and sends forms. */
export class FormBrowser {
  readonly #cookies = new Map<string, Kept>();
  /** The last `Set-Cookie` of each cookie. */
  readonly lastSet = new Map<string, string>();

  /** One that has the same cookies now. */
  copy(): FormBrowser {
    const copy = new FormBrowser();
    for (const [key, kept] of this.#cookies) copy.#cookies.set(key, kept);
    return copy;
  }

  /** `form` makes it a POST. */
  async open(url: string, form?: Record<string, string>): Promise<ShownPage> {
    const { origin, pathname } = new URL(url);
    const sent = [...this.#cookies.values()].filter(
      (one) => one.origin === origin && (pathname === one.path || pathname.startsWith(one.path.replace(/\/?$/, "/"))),
    );
    const cookie = sent.map(({ value }) => value).join("; ");
    const options = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
    const response = await fetch(url, { ...options, headers: { cookie }, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) this.#keep(origin, line);
    const to = response.headers.get("location");
    if (to !== null) return this.open(new URL(to, url).href);
    return { url, status: response.status, text: await response.text() };
  }

  /** Sends the first form of a page, with its hidden fields. */
  async send({ url, text }: ShownPage, fields: Record<string, string> = {}): Promise<ShownPage> {
    const [form, action] = /<form[^>]* action="([^"]+)"[^]*?<\/form>/.exec(text) ?? [];
    if (form === undefined || action === undefined) throw new Error(`There is no form on ${url}: ${text}`);
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const given = Object.fromEntries(hidden.map(([, name = "", value = ""]) => [name, value]));
    return this.open(new URL(action, url).href, { ...given, ...fields });
  }

  #keep(origin: string, line: string): void {
    const [value = ""] = line.split(";");
    const [name = ""] = value.split("=");
    const path = /; *path=([^;]+)/i.exec(line)?.[1] ?? "/";
    const key = `${origin} ${path} ${name}`;
    this.lastSet.set(name, line);
    if (/; *(max-age=0|expires=Thu, 01 Jan 1970)/i.test(line)) this.#cookies.delete(key);
    else this.#cookies.set(key, { origin, path, value });
  }
}
