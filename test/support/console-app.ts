import type express5 from "express";
import { sessionConsole } from "../../lib";
import type { AuditEntry, ConsoleOptions, SessionOptions } from "../../lib";
import { startApp } from "./app";
import type { Answer, RunningApp } from "./app";
import { addSignIn } from "./sign-in-routes";

/** An app with the console at `/admin/sessions`, of which `root` is the super-user. */
export interface ConsoleApp extends RunningApp {
  readonly entries: AuditEntry[];
  /** Signs a user in; resolves to the cookie. */
  login(user: string, headers?: Record<string, string>): Promise<string>;
  /** Opens a page of the console. */
  open(cookie: string, path?: string): Promise<Answer>;
  /** Opens a page with a form, submits it with the message, and follows where that leads. */
  submit(cookie: string, path: string, message?: string): Promise<Answer>;
}

export interface ConsoleAppOptions extends SessionOptions {
  readonly express?: typeof express5;
  readonly console?: ConsoleOptions;
  /** What stands before the console. */
  readonly before?: (app: express5.Express) => void;
}

const FORM = { "content-type": "application/x-www-form-urlencoded" };

export async function startConsole(options: ConsoleAppOptions = {}): Promise<ConsoleApp> {
  const { console, before, ...others } = options;
  const entries: AuditEntry[] = [];
  const app = await startApp(
    (express, sessions) => {
      addSignIn(express);
      before?.(express);
      express.use("/admin/sessions", sessionConsole({ sessions, ...console }));
    },
    { audit: (entry) => entries.push(entry), isSuperUser: (user) => user === "root", ...others },
  );
  const open = (cookie: string, path = "/") => app.get(`/admin/sessions${path}`, { cookie });
  return Object.assign(app, {
    entries,
    open,
    login: async (user: string, headers = {}) =>
      (await app.get(`/login/${encodeURIComponent(user)}`, headers)).cookie ?? "",
    submit: async (cookie: string, path: string, message = "") => {
      const page = await open(cookie, path);
      const main = { ...page, body: page.body.slice(page.body.indexOf("<main")) };
      const fields = new URLSearchParams({ ...hiddenFields(main), message });
      const answer = await app.post(`/admin/sessions${path}`, { cookie, ...FORM }, fields.toString());
      return answer.status === 303 ? app.get(String(answer.headers.location), { cookie }) : answer;
    },
  });
}

/** The hidden fields of a page's form. */
export function hiddenFields({ body }: Answer): Record<string, string> {
  const fields = body.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)" \/>/g);
  return Object.fromEntries([...fields].map(([, name = "", value = ""]) => [name, value.replaceAll("&amp;", "&")]));
}

/** What a page says, without its markup. */
export function textOf({ body }: Answer): string {
  return body
    .slice(body.indexOf("<main"))
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
