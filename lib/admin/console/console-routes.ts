import { SessionError } from "../../errors";
import { isSessionId } from "../../record/token";
import { messageOf } from "../kill";
import type { KillOptions } from "../kill";
import type { ConsoleAnswer, ConsoleRequest, ConsoleVisit } from "./console-visit";
import { killActionAt } from "./kill/kill-action";
import type { KillAction } from "./kill/kill-action";
import { confirmPage, formFields, resultPage, SECURITY_KEY_FIELD, useSecurityKey } from "./kill/kill-form";
import type { FormFields, FormProblem } from "./kill/kill-form";
import { detailPage } from "./pages/detail-page";
import { listPage } from "./pages/list-page";
import { overviewPage } from "./pages/overview-page";
import { noticePage } from "./parts/page-frame";

/** Answers a super-user's request. Only GET and HEAD are allowed, and POST where it ends sessions. */
export async function consoleAnswer(visit: ConsoleVisit, req: ConsoleRequest): Promise<ConsoleAnswer> {
  const { path } = visit;
  const action = path.startsWith("/end/") ? killActionAt(visit) : undefined;
  const page = action === undefined ? pageAt(visit) : () => confirmPage(visit, action);
  if (page === undefined) return notFound(visit);
  if (req.method === "GET" || req.method === "HEAD") return page();
  if (req.method === "POST" && action !== undefined) return endSessions(visit, action, await formFields(req));
  return wrongMethod(visit, action === undefined ? "GET, HEAD" : "GET, HEAD, POST");
}

function pageAt(visit: ConsoleVisit): (() => Promise<ConsoleAnswer>) | undefined {
  const [, name, id, rest] = visit.path.split("/");
  if (name === "session" && isSessionId(id) && rest === undefined) return () => sessionPage(visit, id);
  if (id !== undefined) return undefined;
  if (name === "") return () => overviewPage(visit);
  return name === "list" ? () => listPage(visit) : undefined;
}

async function sessionPage(visit: ConsoleVisit, id: string): Promise<ConsoleAnswer> {
  try {
    return await detailPage(visit, id);
  } catch (error) {
    if (isRefusal(error)) return notShown(visit);
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof SessionError && error.code === "NOT_ALLOWED";
}

async function endSessions(
  visit: ConsoleVisit,
  action: KillAction,
  fields: FormFields | FormProblem,
): Promise<ConsoleAnswer> {
  if (typeof fields === "number") return unreadableForm(visit, fields);
  const options = killOptions(fields("message"));
  if (!(await useSecurityKey(visit.session, action, fields(SECURITY_KEY_FIELD)))) return usedUp(visit, action);
  return resultPage(visit, action, await action.run(visit.admin, options));
}

/**
 * Throws `SESSION_ARGUMENT` where the message is too long. Browsers count a line break as one character, but send two.
 */
function killOptions(given: string | undefined): KillOptions {
  const message = messageOf({ message: given?.replaceAll("\r\n", "\n").trim() ?? "" }, "The console");
  return message === undefined ? {} : { message };
}

function notFound({ base, title }: ConsoleVisit): ConsoleAnswer {
  const text = "The console has no such page. The link may have a typo.";
  return noticePage({ base, title, status: 404, heading: "Not found", text });
}

function notShown({ base, title }: ConsoleVisit): ConsoleAnswer {
  const text =
    "There is no such session, it ended too long ago, or its user’s password has expired, so that it may not be shown.";
  return noticePage({ base, title, status: 404, heading: "No such session", text });
}

function wrongMethod({ base, title }: ConsoleVisit, allow: string): ConsoleAnswer {
  const text = `This page accepts ${allow} only.`;
  return noticePage({ base, title, status: 405, heading: "That does not work here", text, headers: { Allow: allow } });
}

/** The request may come from another site, so the audit is told of it. */
async function usedUp({ admin, base, title }: ConsoleVisit, { asked }: KillAction): Promise<ConsoleAnswer> {
  await admin.refuseForm(asked).catch((error: unknown) => {
    if (!isRefusal(error)) throw error;
  });
  const text =
    "The form was already sent, is over half an hour old, or is from before you signed in. Nothing was ended.";
  return noticePage({ base, title, status: 403, heading: "This form can’t be used again", text });
}

const FORM_PROBLEMS: Readonly<Record<FormProblem, string>> = {
  400: "The request could not be read as a form. Nothing was ended.",
  413: "The form is over 16 KiB. Nothing was ended.",
  415: "The request is not a form. Nothing was ended.",
};

function unreadableForm({ base, title }: ConsoleVisit, status: FormProblem): ConsoleAnswer {
  // The unread rest of the body would be in the way of the next request on this connection.
  const headers = { Connection: "close" };
  return noticePage({ base, title, status, heading: "That could not be read", text: FORM_PROBLEMS[status], headers });
}
