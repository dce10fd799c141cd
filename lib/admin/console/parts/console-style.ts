/** The style of the pages. Colours are named for their use; both palettes have the contrast of WCAG 2.2 AA. */
export const CONSOLE_STYLE = `:root {
  color-scheme: light dark;
  --page: #f5f6f8;
  --panel: #ffffff;
  --line: #dfe3e9;
  --field: #7a8594;
  --ink: #1a222d;
  --ink-soft: #566172;
  --accent: #175cad;
  --accent-soft: #e4eefb;
  --danger: #b3261e;
  --danger-soft: #fdeceb;
  --on-danger: #ffffff;
  --good: #1d6b3f;
  --good-soft: #e1f3e8;
  --signed-in: #2f7dd1;
  --guests: #7a8594;
  --track: #e9ecf1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c;
    --panel: #1a2029;
    --line: #2e3744;
    --field: #768296;
    --ink: #e9edf3;
    --ink-soft: #a5b0c0;
    --accent: #86b9f7;
    --accent-soft: #1d2f47;
    --danger: #ff9d94;
    --danger-soft: #3d2021;
    --on-danger: #2b0b09;
    --good: #8ad8a8;
    --good-soft: #1a3526;
    --signed-in: #5a9de8;
    --guests: #8a96a8;
    --track: #28303c;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--page);
  color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1, h2, p, dl, dd, form { margin: 0; }
h1 { font-size: 1.75rem; line-height: 1.25; letter-spacing: -0.015em; overflow-wrap: anywhere; text-wrap: balance; }
h2 { margin-bottom: 0.75rem; font-size: 1.125rem; line-height: 1.3; }
a { color: var(--accent); text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
code { font: 0.875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.long, q { overflow-wrap: anywhere; }
bdi { overflow-wrap: break-word; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
main:focus { outline: none; }

.wrap { width: min(78rem, 100% - 3rem); margin-inline: auto; }
.skip { position: absolute; left: -100vw; z-index: 1; padding: 0.75rem 1.25rem; background: var(--panel); }
.skip:focus { left: 1rem; top: 0.75rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.none, .hint, .more, .guest { color: var(--ink-soft); }
.guest { font-style: italic; }
.none { white-space: nowrap; }
a :is(.none, .guest) { color: inherit; }
.hint, .more { font-size: 0.875rem; }
.lead { font-size: 1.0625rem; }
.live-note { margin-top: 1.5rem; }
.empty { color: var(--ink-soft); }

.top { background: var(--panel); border-bottom: 1px solid var(--line); }
.top .wrap { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 2rem; min-height: 4rem; padding-block: 0.5rem; }
.brand { font-weight: 650; overflow-wrap: anywhere; }
.brand a { color: inherit; text-decoration: none; }
.top nav { display: flex; gap: 0.25rem; }
.top nav a { padding: 0.375rem 0.75rem; border-radius: 8px; color: var(--ink-soft); text-decoration: none; }
.top nav a:hover { color: var(--ink); background: var(--page); }
.top nav a[aria-current] { color: var(--accent); background: var(--accent-soft); }
.search { display: flex; gap: 0.5rem; }
.search input { width: 13rem; }
.search button { flex: none; }
.account { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1rem; margin-inline-start: auto; font-size: 0.9375rem; }
.signed-in-as { color: var(--ink-soft); overflow-wrap: anywhere; }

main { padding-block: 2.25rem 5rem; }
main > * + * { margin-top: 1.75rem; }
section + section { margin-top: 2.5rem; }
.panel { padding: 1.5rem; background: var(--panel); border: 1px solid var(--line); border-radius: 12px; }
.note { padding: 0.75rem 1rem; border-radius: 8px; background: var(--accent-soft); }
.note.good { background: var(--good-soft); color: var(--good); }
.note:focus { outline: none; }
.note.strong { background: var(--danger-soft); color: var(--danger); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 0.75rem; }
section > p + .actions { margin-top: 1rem; }

input, select, textarea, button, .button { font: inherit; color: inherit; border-radius: 8px; }
input, select, textarea { width: 100%; min-height: 2.5rem; padding: 0.4375rem 0.75rem; background: var(--panel); border: 1px solid var(--field); }
textarea { display: block; resize: vertical; }
::placeholder { color: var(--ink-soft); opacity: 1; }
button, .button {
  display: inline-block;
  min-height: 2.5rem;
  padding: 0.4375rem 1rem;
  background: var(--panel);
  border: 1px solid var(--field);
  font-weight: 550;
  text-decoration: none;
  cursor: pointer;
  max-width: 100%;
  overflow-wrap: anywhere;
}
button:hover, .button:hover { border-color: var(--ink); }
.danger { color: var(--danger); border-color: var(--danger); }
.danger:hover { background: var(--danger-soft); border-color: var(--danger); }
.danger.solid { background: var(--danger); color: var(--on-danger); }
.danger.solid:hover { text-decoration: underline; }
.small { min-height: 0; padding: 0.1875rem 0.625rem; font-size: 0.875rem; }
.badge {
  display: inline-block;
  padding: 0.0625rem 0.5rem;
  border-radius: 99px;
  background: var(--track);
  color: var(--ink);
  font-size: 0.8125rem;
}
.badge.good { background: var(--good-soft); color: var(--good); }
.badge.strong { background: var(--danger-soft); color: var(--danger); }

.figures { display: flex; flex-wrap: wrap; gap: 1rem 3.5rem; margin-bottom: 1.25rem; }
.figure dt { color: var(--ink-soft); font-size: 0.9375rem; }
.figure dd { font-size: 2.25rem; font-weight: 600; line-height: 1.2; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.legend { display: inline-block; width: 0.75rem; height: 0.75rem; margin-inline-end: 0.5rem; border-radius: 3px; }
.legend.signed-in { background: var(--signed-in); }
.legend.guests { background: var(--guests); }
.bar { display: block; width: 100%; height: 0.75rem; overflow: hidden; border-radius: 99px; }
td .bar { min-width: 6rem; height: 0.5rem; }
.bar .track { fill: var(--track); }
.bar .signed-in { fill: var(--signed-in); }
.bar .guests { fill: var(--guests); }

table { width: 100%; background: var(--panel); border: 1px solid var(--line); border-radius: 12px; border-spacing: 0; font-size: 0.9375rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 0.6875rem 0.875rem; text-align: start; vertical-align: middle; font-weight: 400; }
th:first-child { padding-inline-start: 1.25rem; }
tbody th { min-width: 9rem; font-weight: 550; overflow-wrap: anywhere; }
.device { display: inline-block; min-width: 7rem; overflow-wrap: anywhere; }
td code { display: inline-block; min-width: 7.5rem; overflow-wrap: anywhere; }
td bdi { display: inline-block; min-width: 4.5rem; overflow-wrap: anywhere; }
td a bdi { display: inline; min-width: 0; }
.scope { display: inline-block; min-width: 5.5rem; }
thead th { color: var(--ink-soft); font-size: 0.8125rem; font-weight: 550; white-space: nowrap; }
tbody :is(th, td) { border-top: 1px solid var(--line); }
tbody tr:hover { background: color-mix(in srgb, var(--page) 60%, var(--panel)); }
tbody tr:last-child > :first-child { border-end-start-radius: 11px; }
tbody tr:last-child > :last-child { border-end-end-radius: 11px; }
thead a { color: inherit; text-decoration: none; }
thead a:hover, thead [aria-sort] a { color: var(--ink); text-decoration: underline; }
.arrow { margin-inline-start: 0.25rem; }
.tick, th.tick:first-child { width: 3.25rem; padding-inline: 0.75rem 0; }
.tick label { display: flex; justify-content: center; align-items: center; min-width: 2.5rem; min-height: 2.5rem; cursor: pointer; }
.tick + th { padding-inline-start: 0.5rem; }
input[type="checkbox"] { width: 1.125rem; min-height: 0; height: 1.125rem; margin: 0; padding: 0; accent-color: var(--accent); }
.changes { display: block; }
.changes .badge { margin-top: 0.25rem; }
.row-actions { display: inline-flex; flex-wrap: nowrap; align-items: center; gap: 0.75rem; white-space: nowrap; }
.number { font-variant-numeric: tabular-nums; }
:is(th, td).number { text-align: end; }
time, td .small, .badge { white-space: nowrap; }
time { font-variant-numeric: tabular-nums; }
.more { margin-top: 0.75rem; }

.filters { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; align-items: end; }
.filters label { color: var(--ink-soft); font-size: 0.875rem; }
.filters :is(input, select) { display: block; margin-top: 0.25rem; color: var(--ink); font-size: 1rem; }
.filters .wide { grid-column: span 2; }
.filters .actions { flex-wrap: nowrap; }
.filters .sort-choice { display: none; }
.filters .columns { grid-column: 1 / -1; order: 1; color: var(--ink-soft); font-size: 0.9375rem; }
.columns summary { width: fit-content; cursor: pointer; }
fieldset { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.5rem 0; padding: 0; border: 0; }
.filters .check { display: flex; align-items: center; gap: 0.5rem; min-height: 2rem; color: var(--ink); font-size: 0.9375rem; }
.filters .check input { display: inline-block; margin: 0; }
.summary { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 0.75rem; }
.summary + * { margin-top: 0.75rem; }
.paging { display: flex; gap: 0.75rem; }

.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.25rem 2rem; }
.fields dt { color: var(--ink-soft); font-size: 0.875rem; }
.fields dd { overflow-wrap: anywhere; }
.fields div:nth-last-child(-n + 2) { grid-column: 1 / -1; }
.confirm { max-width: 42rem; }
.confirm > * + * { margin-top: 1rem; }
.confirm label { display: block; font-weight: 550; }
.confirm textarea, .confirm .hint { margin-top: 0.375rem; }

@media (max-width: 79rem) {
  .wrap { width: min(78rem, 100% - 2rem); }
  .top .wrap { gap: 0.5rem 1rem; padding-block: 0.75rem; }
  .search { flex: 1 1 100%; order: 1; }
  .search input { width: 100%; }
  .account { flex: 1 1 auto; justify-content: flex-end; }
  .account button { min-height: 0; padding: 0.25rem 0.75rem; }
  .filters .sort-choice { display: block; min-width: 12rem; }
  main { padding-top: 1.5rem; }
  .panel { padding: 1.25rem; }
  .figures { gap: 1rem 2rem; }
  .fields { grid-template-columns: repeat(auto-fill, minmax(min(8.5rem, 100%), 1fr)); }
  thead { display: none; }
  .filters :is(.wide, .sort-choice) { grid-column: 1 / -1; }
  table { display: block; }
  tbody { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 0.75rem; }
  table { border: 0; background: none; }
  tbody tr { display: block; padding: 0.75rem 1.25rem; background: var(--panel); border: 1px solid var(--line); border-radius: 12px; }
  tbody tr:hover { background: var(--panel); }
  tbody th, tbody td { display: block; padding: 0.375rem 0; border: 0; }
  tbody th:first-child { padding: 0.375rem 0; font-size: 1.0625rem; }
  tbody td { display: flex; justify-content: space-between; gap: 1rem; text-align: end; }
  tbody td.tick { position: absolute; inset: 0.25rem 0.5rem auto auto; width: auto; padding: 0; }
  tbody td.tick::before { content: none; }
  tbody tr { position: relative; }
  tbody .tick + th { padding: 0.375rem 2.5rem 0.375rem 0; font-size: 1.0625rem; }
  tbody td::before { content: attr(data-label); color: var(--ink-soft); text-align: start; }
  td > span { min-width: 0; overflow-wrap: anywhere; }
  td > span:has(.bar) { flex: 1; align-self: center; }
}
@media (forced-colors: active) {
  .badge, .note { border: 1px solid; }
  .bar rect { forced-color-adjust: none; }
}
`;
