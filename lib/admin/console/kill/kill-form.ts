import type { Session } from "../../../session/session";
import type { ConsoleAnswer, ConsoleRequest, ConsoleVisit } from "../console-visit";
import { html } from "../parts/html";
import { pageFrame } from "../parts/page-frame";
import { counted } from "../parts/shown-values";
import { wayBack } from "../way-back";
import type { KillAction } from "./kill-action";

/**
 * The form field with the console's own security key. It has another name than the field of `requireSecurityKey`, which
 * an app may use before the console.
 */
export const SECURITY_KEY_FIELD = "consoleKey";
const MAX_BYTES = 16 * 1024;
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:\s*;|\s*$)/i;

/** Returns a field of a form; undefined where it is missing, or is there twice. */
export type FormFields = (name: string) => string | undefined;

/** Why a form can't be read, as an HTTP status. */
export type FormProblem = 400 | 413 | 415;

/** The form that asks before sessions are ended. Opening it ends nothing. */
export async function confirmPage(visit: ConsoleVisit, action: KillAction): Promise<ConsoleAnswer> {
  const { admin, base, frame, query } = visit;
  const back = wayBack(query.get("back"));
  const extent = await action.extent(admin);
  const securityKey = await newSecurityKey(visit.session, action);
  const appSecurityKey = await visit.appSecurityKey();
  const content = html`<form class="panel confirm" method="post" action="${action.path}" data-once>
    <p class="lead">This ends <strong>${extent}</strong>. Anyone who is signed in there has to sign in again.</p>
    ${action.endsMine && html`<p class="note strong">Your own session is among them: you will be signed out.</p>`}
    <input type="hidden" name="${SECURITY_KEY_FIELD}" value="${securityKey}" />
    ${appSecurityKey !== undefined && html`<input type="hidden" name="securityKey" value="${appSecurityKey}" />`}
    <input type="hidden" name="back" value="${back}" />
    <label for="message">Message to the user <span class="none">(optional)</span></label>
    <textarea id="message" name="message" rows="3" maxlength="500" aria-describedby="about-message"></textarea>
    <p id="about-message" class="hint" data-left>
      Up to 500 characters. The app can show it at once in the user’s open pages, and at the next sign-in.
    </p>
    <p class="actions">
      <button class="button danger solid">${action.verb}</button>
      <a class="button" href="${base}${back}">Cancel</a>
    </p>
  </form>`;
  return { status: 200, page: pageFrame({ frame, heading: action.question, tab: "End sessions", content }) };
}

/** A security key that is good for this action once, in this session, within half an hour. */
async function newSecurityKey(session: Session, { purpose }: KillAction): Promise<string> {
  return session.securityKeys.create({ expiresIn: "30m", payload: purpose });
}

/** Uses a security key up. Resolves to whether it was made for this action. */
export async function useSecurityKey(session: Session, { purpose }: KillAction, key: unknown): Promise<boolean> {
  return (await session.securityKeys.validate(key)) === purpose;
}

/**
 * The fields of the form in a request: from `req.body` where the app has parsed the body, otherwise read here. Resolves
 * to a status for a body that is not a form, and for one over 16 KiB.
 */
export async function formFields(req: ConsoleRequest): Promise<FormFields | FormProblem> {
  if (req.readableDidRead || req.readableEnded) return parsedFields(req.body);
  const type = req.headers["content-type"];
  if (type === undefined || !FORM_TYPE.test(type) || req.headers["content-encoding"] !== undefined) return 415;
  const text = await bodyText(req);
  if (text === undefined) return 413;
  const fields = new URLSearchParams(text);
  return (name) => {
    const [only, second] = fields.getAll(name);
    return second === undefined ? only : undefined;
  };
}

function parsedFields(body: unknown): FormFields | FormProblem {
  if (typeof body !== "object" || body === null) return 400;
  return (name) => {
    const value: unknown = Object.hasOwn(body, name) ? Reflect.get(body, name) : undefined;
    return typeof value === "string" ? value : undefined;
  };
}

/** Undefined where the body is too long; the rest of it is not read. */
async function bodyText(req: ConsoleRequest): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the rest unread must not close the connection: the answer is still to be sent.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * Says how many sessions were ended, where there is no session any more that could carry that to another page: the
 * super-user's own was among them, or has ended meanwhile.
 */
export function resultPage({ base, frame }: Pick<ConsoleVisit, "base" | "frame">, ended: number): ConsoleAnswer {
  const heading = ended === 0 ? "Nothing was left to end" : `${counted(ended, "session")} ended`;
  const text = ended === 0 ? "Those sessions were over already." : "Anyone who was signed in there is signed out now.";
  const content = html`<div role="status"><p class="lead">${text}</p></div>
    <p class="note strong">Your own session was among them: you are signed out.</p>
    <p><a class="button" href="${base}/">Sign in again</a></p>`;
  return { status: 200, page: pageFrame({ frame, heading, hasNavigation: false, content }) };
}
