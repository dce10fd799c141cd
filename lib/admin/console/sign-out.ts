import type { Session } from "../../session/session";
import type { ConsoleAnswer, ConsoleVisit } from "./console-visit";
import { SECURITY_KEY_FIELD } from "./kill/kill-form";
import type { FormFields, FormProblem } from "./kill/kill-form";
import { noticePage } from "./parts/page-frame";
import type { FrameVisitor } from "./parts/page-frame";

/** The path of the console's own sign-out. */
export const SIGN_OUT = "/logout";

/** The form that signs out: the app's, or, where `path` is undefined, the console's own; false for none. */
export async function signOutForm(
  { base, session }: Pick<ConsoleVisit, "base" | "session">,
  path: string | false | undefined,
  appSecurityKey: () => Promise<string | undefined>,
): Promise<FrameVisitor["signOut"]> {
  if (path === false) return undefined;
  const appKey = await appSecurityKey();
  const own = path === undefined ? [[SECURITY_KEY_FIELD, session.securityKeys.maskedKey()] as const] : [];
  const ofApp = appKey === undefined ? [] : [["securityKey", appKey] as const];
  return { action: path ?? base + SIGN_OUT, fields: [...own, ...ofApp] };
}

/** Ends the visitor's own session, and goes to the app. */
export async function signOut(
  { session, frame }: { readonly session: Session } & Pick<ConsoleVisit, "frame">,
  fields: FormFields | FormProblem,
): Promise<ConsoleAnswer> {
  const key = typeof fields === "number" ? undefined : fields(SECURITY_KEY_FIELD);
  if (!session.securityKeys.isStaticKey(key)) {
    const text = "The form is from before you signed in. Open a page of the console again, and sign out there.";
    return noticePage({ frame, status: 403, heading: "This form can’t be used", text });
  }
  await session.logout();
  if (frame.home !== undefined) return { status: 303, headers: { Location: frame.home } };
  const text = "Your session has ended.";
  return noticePage({ frame, status: 200, heading: "You are signed out", text, hasNavigation: false });
}
