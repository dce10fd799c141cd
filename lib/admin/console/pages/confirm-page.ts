import type { ConsoleAnswer, ConsoleVisit } from "../console-visit";
import { html } from "../parts/html";
import { KEY_FIELD } from "../kill/kill-key";
import { makeKillKey } from "../kill/kill-key";
import type { KillAction } from "../kill/kill-action";
import { pageFrame } from "../parts/page-frame";

/** Asks before sessions are ended. Opening it ends nothing. */
export async function confirmPage(visit: ConsoleVisit, action: KillAction): Promise<ConsoleAnswer> {
  const { admin, base, title } = visit;
  const extent = await action.extent(admin);
  const [key, guardKey] = [await makeKillKey(visit.session, action), await visit.guardKey()];
  const content = html`<form class="panel confirm" method="post" action="${action.path}" data-once>
    <p class="lead">This ends <strong>${extent}</strong>. Who was signed in there has to sign in again.</p>
    ${action.endsMine && html`<p class="note strong">Your own session is among them: you will be signed out.</p>`}
    <input type="hidden" name="${KEY_FIELD}" value="${key}" />
    ${guardKey !== undefined && html`<input type="hidden" name="securityKey" value="${guardKey}" />`}
    <label for="message">Message to the user <span class="none">(optional)</span></label>
    <textarea id="message" name="message" rows="3" maxlength="500" aria-describedby="about-message"></textarea>
    <p id="about-message" class="hint" data-left>Up to 500 characters. The app can show it when they sign in again.</p>
    <p class="actions">
      <button class="button danger solid">${action.verb}</button>
      <a class="button" href="${base}/">Cancel</a>
    </p>
  </form>`;
  return { status: 200, page: pageFrame({ base, title, heading: action.question, tab: "End sessions", content }) };
}
