/** What makes the pages a little more pleasant; all of them work without it. */
export const CONSOLE_SCRIPT = `"use strict";
(() => {
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const units = [["day", 86400000], ["hour", 3600000], ["minute", 60000], ["second", 1000]];
  const times = [...document.querySelectorAll("time[datetime]")].map((element) => ({
    element,
    at: Date.parse(element.dateTime),
  }));
  // What the server counted from is the moment of the page; a clock that is wrong here must not show.
  const opened = performance.now();
  const shift = Number(document.querySelector("main")?.dataset.now ?? Date.now());
  const refresh = () => {
    const now = shift + (performance.now() - opened);
    for (const { element, at } of times) {
      const ms = at - now;
      const [unit, length] = units.find((one) => Math.abs(ms) >= one[1]) ?? ["second", 1000];
      element.textContent =
        unit === "second" && Math.abs(ms) < 5000 ? "now" : relative.format(Math.round(ms / length), unit);
    }
  };
  if (times.length > 0) setInterval(refresh, 20000);

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
