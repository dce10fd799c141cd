import { SessionError } from "../../errors";
import { isSessionId } from "../../record/token";
import { messageOf } from "../kill";
import type { KillOptions } from "../kill";
import type { ConsoleAnswer, ConsoleRequest, ConsoleVisit } from "./console-visit";
import { csvExport } from "./list/csv-export";
import { listPage } from "./list/list-page";
import { killActionAt } from "./kill/kill-action";
import type { KillAction } from "./kill/kill-action";
import { confirmPage, formFields, resultPage, SECURITY_KEY_FIELD, useSecurityKey } from "./kill/kill-form";
import type { FormFields, FormProblem } from "./kill/kill-form";
import { detailPage } from "./pages/detail-page";
import { overviewPage } from "./pages/overview-page";
import { userPage } from "./pages/user-page";
import { noticePage } from "./parts/page-frame";
import { SIGN_OUT, signOut } from "./sign-out";
import { wayBack, wayBackDone } from "./way-back";

/** Answers a super-user's request. Only GET and HEAD are allowed, and POST where it ends sessions. */
export async function consoleAnswer(visit: ConsoleVisit, req: ConsoleRequest): Promise<ConsoleAnswer> {
  const { path } = visit;
  const isRead = req.method === "GET" || req.method === "HEAD";
  if (path === SIGN_OUT) {
    return req.method === "POST" ? signOut(visit, await formFields(req)) : wrongMethod(visit, "POST");
  }
  const action = path.startsWith("/end/") ? killActionAt(visit) : undefined;
  if (action === undefined && path === "/end/ticked" && isRead) return nothingTicked(visit);
  const page = action === undefined ? pageAt(visit) : () => confirmPage(visit, action);
  if (page === undefined) return notFound(visit);
  if (isRead) return page();
  if (req.method === "POST" && action !== undefined) return endSessions(visit, action, await formFields(req));
  return wrongMethod(visit, action === undefined ? "GET, HEAD" : "GET, HEAD, POST");
}

const PAGES: ReadonlyMap<string, (visit: ConsoleVisit) => Promise<ConsoleAnswer>> = new Map([
  ["/", overviewPage],
  ["/list", listPage],
  ["/export.csv", csvExport],
]);

function pageAt(visit: ConsoleVisit): (() => Promise<ConsoleAnswer>) | undefined {
  const { path, query } = visit;
  const [, name, id, rest] = path.split("/");
  if (name === "session" && isSessionId(id) && rest === undefined) return () => sessionPage(visit, id);
  if (path === "/user" && query.get("user")) return () => userPage(visit);
  const page = PAGES.get(path);
  return page && (() => page(visit));
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
  const ended = await action.run(visit.admin, options);
  return action.endsMine ? resultPage(visit, ended) : goBack(visit, fields("back"), ended);
}

async function goBack(visit: ConsoleVisit, back: string | undefined, ended: number): Promise<ConsoleAnswer> {
  try {
    const address = await wayBackDone(visit.session, back, ended);
    return { status: 303, headers: { Location: visit.base + address } };
  } catch (error) {
    if (error instanceof SessionError && error.code === "SESSION_ENDED") return resultPage(visit, ended);
    throw error;
  }
}

function nothingTicked({ frame, query }: ConsoleVisit): ConsoleAnswer {
  const text = "Tick the sessions to end in the list first, up to 200.";
  const link = [wayBack(query.get("back")), "Go back"] as const;
  return noticePage({ frame, status: 400, heading: "No session is ticked", text, link });
}

/**
 * Throws `SESSION_ARGUMENT` where the message is too long. Browsers count a line break as one character, but send two.
 */
function killOptions(given: string | undefined): KillOptions {
  const message = messageOf({ message: given?.replaceAll("\r\n", "\n").trim() ?? "" }, "The console");
  return message === undefined ? {} : { message };
}

function notFound({ frame }: ConsoleVisit): ConsoleAnswer {
  const text = "The console has no such page. The link may have a typo.";
  return noticePage({ frame, status: 404, heading: "Not found", text });
}

function notShown({ frame }: ConsoleVisit): ConsoleAnswer {
  const text =
    "There is no such session, it ended too long ago, or its user’s password has expired, so that it may not be shown.";
  return noticePage({ frame, status: 404, heading: "No such session", text });
}

function wrongMethod({ frame }: ConsoleVisit, allow: string): ConsoleAnswer {
  const text = `This page accepts ${allow} only.`;
  return noticePage({ frame, status: 405, heading: "That does not work here", text, headers: { Allow: allow } });
}

/** The request may come from another site, so the audit is told of it. */
async function usedUp({ admin, frame }: ConsoleVisit, { asked }: KillAction): Promise<ConsoleAnswer> {
  await admin.refuseForm(asked).catch((error: unknown) => {
    if (!isRefusal(error)) throw error;
  });
  const text =
    "The form was already sent, is over half an hour old, or is from before you signed in. Nothing was ended.";
  return noticePage({ frame, status: 403, heading: "This form can’t be used again", text });
}

const FORM_PROBLEMS: Readonly<Record<FormProblem, string>> = {
  400: "The request could not be read as a form. Nothing was ended.",
  413: "The form is over 16 KiB. Nothing was ended.",
  415: "The request is not a form. Nothing was ended.",
};

function unreadableForm({ frame }: ConsoleVisit, status: FormProblem): ConsoleAnswer {
  // The unread rest of the body would be in the way of the next request on this connection.
  const headers = { Connection: "close" };
  return noticePage({ frame, status, heading: "That could not be read", text: FORM_PROBLEMS[status], headers });
}
