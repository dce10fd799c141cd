import type { SessionTally } from "../../../stores/store";
import { html } from "../parts/html";
import type { Html, HtmlValue } from "../parts/html";
import { COLUMN_NAMES, HEADINGS, sortKeysOf } from "./list-columns";
import type { ColumnName } from "./list-columns";
import { CHOSEN, MAX_SEARCH_LENGTH, NAMELESS } from "./list-query";
import type { ListQuery } from "./list-query";

/** How each column sorts, in words; for narrow screens, which show no headings. */
const ORDERS: Readonly<Record<string, readonly [ascending: string, descending: string]>> = {
  age: ["newest first", "oldest first"],
  idle: ["seen lately first", "idle longest first"],
  expires: ["soonest first", "latest first"],
  ended: ["latest first", "oldest first"],
  pages: ["fewest first", "most first"],
};

/** The form that narrows the list, and chooses its columns. */
export function listFilters(
  base: string,
  query: ListQuery,
  tallies: readonly SessionTally[],
  shown: readonly ColumnName[],
): Html {
  const { search = "", who = "", live, scope = "" } = query;
  const project = query.project === "" ? NAMELESS : (query.project ?? "");
  const sort = (query.isDescending ? "-" : "") + query.sort;
  return html`<form class="panel filters" method="get" action="${base}/list" data-filters>
    <label class="wide"
      >User, id or address begins with
      <input
        name="q"
        type="search"
        value="${search}"
        autocapitalize="none"
        spellcheck="false"
        maxlength="${MAX_SEARCH_LENGTH}"
    /></label>
    ${choice("Who", "who", who, [
      ["", "Everyone"],
      ["signed-in", "Signed in"],
      ["guests", "Guests"],
    ])}
    ${choice("Project", "project", project, [
      ["", "Any"],
      ...known(
        project,
        tallies.map((group) => group.project || NAMELESS),
      ).map((name): [string, string] => [name, name === NAMELESS ? "Default project" : name]),
    ])}
    ${choice("Scope", "scope", scope, [
      ["", "Any"],
      ...known(
        scope,
        tallies.map((group) => group.scope),
      ).map((name): [string, string] => [name, name]),
    ])}
    ${choice("State", "state", live ? "live" : "ended", [
      ["live", "Live"],
      ["ended", "Ended"],
    ])}
    <div class="sort-choice">${choice("Sort by", "sort", sort, sortChoices(live))}</div>
    <details class="columns">
      <summary>Columns</summary>
      <input type="hidden" name="show" value="${CHOSEN}" ${query.columns === undefined && html`disabled`} />
      <fieldset>
        <legend class="unseen">Columns to show</legend>
        ${COLUMN_NAMES.map((name) => columnChoice(name, shown.includes(name)))}
      </fieldset>
      <p class="hint">Your choice is kept in the address of the page.</p>
    </details>
    <p class="actions"><button class="button">Apply</button> <a href="${base}/list">Clear</a></p>
  </form>`;
}

function columnChoice(name: ColumnName, isShown: boolean): Html {
  return html`<label class="check"
    ><input type="checkbox" name="show" value="${name}" ${isShown && html`checked`} /> ${HEADINGS[name]}</label
  >`;
}

function sortChoices(live: boolean): [string, string][] {
  return sortKeysOf(live).flatMap((name) => {
    const [ascending, descending] = ORDERS[name] ?? ["A to Z", "Z to A"];
    return [
      [name, `${HEADINGS[name]}, ${ascending}`],
      [`-${name}`, `${HEADINGS[name]}, ${descending}`],
    ] satisfies [string, string][];
  });
}

function choice(label: string, name: string, chosen: string, choices: readonly (readonly [string, HtmlValue])[]): Html {
  return html`<label
    >${label}
    <select name="${name}">
      ${choices.map(
        ([value, text]) => html`<option value="${value}" ${value === chosen && html`selected`}>${text}</option>`,
      )}
    </select></label
  >`;
}

/** The names that can be chosen: those that sessions have now, and what is chosen already. */
function known(chosen: string, names: readonly string[]): string[] {
  return [...new Set(chosen === "" ? names : [...names, chosen])].sort();
}
