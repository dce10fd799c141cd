import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { html } from "../parts/html";
import type { KillAction } from "../kill/kill-action";
import { pageFrame } from "../parts/page-frame";
import { counted } from "../parts/quantity";

/** Says how many sessions were ended. It needs nothing of a session, as that of who asked may be gone. */
export function resultPage({ base, title }: ConsoleVisit, action: KillAction, ended: number): ConsoleAnswer {
  const heading = ended === 0 ? "Nothing was left to end" : `${counted(ended, "session")} ended`;
  const text = ended === 0 ? "What you asked to end was over already." : "Whoever was signed in there is signed out.";
  const content = html`<div role="status"><p class="lead">${text}</p></div>
    ${
      action.endsMine
        ? html`<p class="note strong">Your own session was among them: you are signed out.</p>
            <p><a class="button" href="${base}/">Sign in again</a></p>`
        : html`<p class="actions">
            <a class="button" href="${base}/">Go to the overview</a>
            <a class="button" href="${base}/list">Go to the list</a>
          </p>`
    }`;
  return { status: 200, page: pageFrame({ base, title, heading, hasNavigation: !action.endsMine, content }) };
}
