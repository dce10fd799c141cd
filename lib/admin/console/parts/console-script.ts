import { REFRESH_HEADER } from "../../../record/expiry";

/** Makes the pages a little more pleasant; all of them work without it. */
export const CONSOLE_SCRIPT = `"use strict";
(() => {
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const units = [["day", 86400000], ["hour", 3600000], ["minute", 60000], ["second", 1000]];
  const short = { day: "d", hour: "h", minute: "min", second: "s" };
  const main = document.querySelector("main");
  // The server counted from the moment of the page; a wrong clock here must not show.
  let opened = performance.now();
  const refresh = () => {
    const now = Number(main.dataset.now || Date.now()) + (performance.now() - opened);
    for (const element of document.querySelectorAll("time[datetime]")) {
      const ms = Date.parse(element.dateTime) - now;
      const [unit, length] = units.find((one) => Math.abs(ms) >= one[1]) ?? ["second", 1000];
      if (element.dataset.ago !== undefined) {
        element.textContent = Math.max(0, Math.floor(-ms / length)) + " " + short[unit];
        continue;
      }
      element.textContent =
        unit === "second" && Math.abs(ms) < 5000 ? "now" : relative.format(Math.round(ms / length), unit);
    }
  };
  setInterval(refresh, 20000);

  // The word of what was done came with a key that is used up.
  const address = new URL(location.href);
  if (address.searchParams.has("done")) {
    address.searchParams.delete("done");
    history.replaceState(null, "", address);
  }

  const isSelected = (node) => !getSelection().isCollapsed && getSelection().containsNode(node, true);
  // What an update leaves where it is: what is being read or copied, rows with a tick, and the word of what was done.
  const isKept = (node) =>
    isSelected(node) ||
    (node.nodeType === 1 && (node.matches("[data-keep]") || node.querySelector("input:checked") !== null));
  const nameOf = (node) => (node.nodeType === 1 ? node.nodeName + " " + (node.dataset.key ?? "") : node.nodeType);
  // Makes what is shown into what is new, and touches nothing else: forms, and what is selected, stay as they are.
  const renew = (shown, fresh) => {
    if (shown.isEqualNode(fresh) || shown.nodeName === "FORM" || shown.dataset?.keep !== undefined) return;
    if (shown.nodeType !== 1) {
      if (!isSelected(shown)) shown.data = fresh.data;
      return;
    }
    for (const { name } of [...shown.attributes]) if (!fresh.hasAttribute(name)) shown.removeAttribute(name);
    for (const { name, value } of fresh.attributes) {
      if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
    }
    const rest = [...shown.childNodes];
    const pairs = [...fresh.childNodes].map((wanted) => {
      const at = rest.findIndex((node) => nameOf(node) === nameOf(wanted));
      return [at < 0 ? undefined : rest.splice(at, 1)[0], wanted];
    });
    const stale = new Set(rest.filter(isKept));
    for (const node of rest) if (!stale.has(node)) node.remove();
    let next = shown.firstChild;
    for (const [known, wanted] of pairs) {
      while (stale.has(next)) next = next.nextSibling;
      if (known === undefined) shown.insertBefore(document.importNode(wanted, true), next);
      else if (known === next) next = next.nextSibling;
      else shown.insertBefore(known, next);
      if (known !== undefined) renew(known, wanted);
    }
  };

  const ticks = () => [...document.querySelectorAll("td.tick input")];
  const countTicks = () => {
    const all = ticks();
    const ticked = all.filter((box) => box.checked).length;
    const button = document.querySelector("#ticked button");
    if (button !== null) button.textContent = ticked === 0 ? "End the ticked ones…" : "End the " + ticked + " ticked…";
    const every = document.querySelector("th.tick input");
    if (every === null) return;
    every.checked = ticked > 0 && ticked === all.length;
    every.indeterminate = ticked > 0 && ticked < all.length;
  };
  const tickAll = (head) => {
    const label = document.createElement("label");
    const box = label.appendChild(document.createElement("input"));
    box.type = "checkbox";
    box.setAttribute("aria-label", "Tick all on this page");
    box.addEventListener("change", () => {
      for (const one of ticks()) one.checked = box.checked;
      countTicks();
    });
    head.replaceChildren(label);
    head.dataset.keep = "";
  };
  for (const head of document.querySelectorAll("th.tick")) tickAll(head);
  document.addEventListener("change", ({ target }) => target.matches("td.tick input") && countTicks());
  // A browser may have ticked them again, after Back.
  addEventListener("pageshow", countTicks);

  const wait = Number(main.dataset.live);
  let timer, note, isOver, isAsking;
  // A page that is costly to make, such as where the store counts millions of sessions, is asked for less often.
  const SHARE_OF_TIME = 20;
  let took = 0;
  const tell = (text, link) => {
    if (note?.firstChild.firstChild.data === text) return;
    note?.remove();
    note = undefined;
    if (text === undefined) return;
    note = document.createElement("div");
    note.className = "wrap live-note";
    note.setAttribute("role", "alert");
    const words = note.appendChild(document.createElement("p"));
    words.className = "note strong";
    words.append(text);
    if (link !== undefined) {
      const anchor = words.appendChild(document.createElement("a"));
      anchor.href = location.href;
      anchor.textContent = link;
    }
    main.before(note);
  };
  const show = (fresh) => {
    const focused = document.activeElement;
    renew(main, fresh);
    opened = performance.now();
    if (focused !== document.activeElement) (focused.isConnected ? focused : main).focus({ preventScroll: true });
    countTicks();
    tell();
  };
  const update = async () => {
    if (isAsking) return;
    isAsking = true;
    const started = performance.now();
    try {
      const answer = await fetch(location.href, { headers: { "${REFRESH_HEADER}": "1" }, redirect: "manual" });
      const text = answer.ok ? await answer.text() : "";
      const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("main[data-live]");
      if (fresh !== null) show(fresh);
      else if (answer.status >= 500) tell("The server can’t update this page right now. Trying again.");
      else {
        isOver = true;
        tell("This page is no longer updated: you are signed out, or may not see it any more. ", "Load it again");
      }
    } catch {
      tell("The server can’t be reached, so this page is not up to date. Trying again.");
    }
    isAsking = false;
    took = performance.now() - started;
    plan();
  };
  const plan = () => {
    clearTimeout(timer);
    if (wait > 0 && !isOver && !document.hidden) timer = setTimeout(update, Math.max(wait, SHARE_OF_TIME * took));
  };
  plan();
  document.addEventListener("visibilitychange", () => {
    if (wait > 0 && !isOver && !document.hidden) update();
    else plan();
  });

  for (const form of document.querySelectorAll("form[data-filters]")) {
    for (const select of form.querySelectorAll("select")) {
      let byKeyboard = false;
      // Arrow keys go through the choices one by one; only a choice by pointer is final.
      select.addEventListener("keydown", () => (byKeyboard = true));
      select.addEventListener("pointerdown", () => (byKeyboard = false));
      select.addEventListener("change", () => byKeyboard || form.requestSubmit());
    }
  }

  for (const form of document.querySelectorAll("form[data-once]")) {
    const text = form.querySelector("textarea");
    const left = form.querySelector("[data-left]");
    const hint = left?.textContent ?? "";
    text?.addEventListener("input", () => {
      const rest = text.maxLength - text.value.length;
      left.textContent = text.value === "" ? hint : rest + (rest === 1 ? " character left." : " characters left.");
    });
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) event.preventDefault();
      sent = true;
    });
    addEventListener("pageshow", () => (sent = false));
  }
})();
`;
