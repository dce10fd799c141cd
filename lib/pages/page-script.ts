import { hash } from "node:crypto";

/**
 * What runs in each page. It says every minute that the page is open, and listens to what becomes of the session. Of
 * all tabs of a session, the one that holds a lock keeps the event stream and tells the others, because HTTP/1.1 allows
 * six connections to a host. Where there are no locks (plain HTTP), each visible tab keeps its own.
 * A page counts its minutes from when the server has written that it is open, which is not each time that it says so.
 * A stream that is silent for longer than the server ever is, as after a sleep, is dead, though nobody has said so.
 * After the end it is fetched anew, without what follows the # of its address: a reload would send a form once more.
 * A page that comes back from the back/forward cache has said good-bye, and has a new id.
 */
const SOURCE = `(() => {
  const at = document.currentScript.src.replace(/pages\\.js.*/, "pages-");
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
  const { locks } = navigator;
  let id = newId(), session, last = 0, asked = 0, heard, since = "", stream, channel, leads = !locks, release, leaving, over, box, timer;

  const emit = (name, detail) =>
    document.dispatchEvent(new CustomEvent("coatcheck:" + name, { detail, cancelable: true }));
  const post = (what, body) =>
    fetch(at + what, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  async function beat(wait) {
    const now = Date.now();
    if (over || document.prerendering || now - last < wait || (wait && now - asked < 5e3)) return;
    last = asked = now;
    try {
      const res = await post("open", { id, session, path: location.pathname, title: document.title });
      const told = res.status === 200 ? await res.json() : {};
      if (res.status >= 500) last = 0;
      if (told.ended) end(told.ended);
      else if (told.session) {
        last -= told.age || 0;
        join(told.session);
      }
    } catch {
      last = 0;
    }
  }

  function join(name) {
    if (name === session && channel) return;
    part();
    if (session !== name) since = "";
    session = name;
    const mine = (channel = new BroadcastChannel("coatcheck " + name));
    channel.onmessage = ({ data }) => hear(...data);
    locks?.request("coatcheck " + name, () => mine === channel && new Promise((done) => { release = done; leads = 1; listen(); }));
    listen();
  }

  function listen() {
    if (over || stream || !channel || !leads || (!locks && document.hidden)) return;
    heard = Date.now();
    stream = new EventSource(at + "events" + (since && "?" + since));
    for (const name of ["ping", "ended", "expiring", "renewed", "message"])
      stream.addEventListener(name, ({ data, lastEventId }) => {
        const told = [name, JSON.parse(data), lastEventId];
        if (locks) channel.postMessage(told);
        hear(...told);
      });
    stream.onerror = () => {
      if (stream.readyState < 2) return;
      stream = null;
      beat(0);
      setTimeout(listen, 9e3);
    };
  }

  function part() {
    stream?.close();
    channel?.close();
    release?.();
    stream = channel = release = null;
    leads = !locks;
  }

  function hear(name, data, key) {
    heard = Date.now();
    since = key || since;
    if (name === "ping") beat(58e3);
    else if (name === "ended") end(data);
    else if (name === "renewed") shut();
    else if (emit(name, data) && name === "expiring") notice(data, coatcheck.stay);
  }

  function end(data) {
    if (over) return;
    if (leaving) return setTimeout(end, 4e3, data);
    over = 1;
    setTimeout(part, 1e3);
    if (emit("ended", data)) notice(data, 0);
  }

  function shut() {
    clearInterval(timer);
    box?.remove();
  }

  function notice({ title, text, button, seconds }, act) {
    shut();
    box = document.createElement("dialog");
    box.className = "coatcheck-notice";
    box.setAttribute("role", "alertdialog");
    for (const [tag, words] of [["h2", title], ["p", text], ["button", button]])
      box.appendChild(document.createElement(tag)).textContent = words;
    box.setAttribute("aria-label", title);
    box.setAttribute("aria-describedby", (box.children[1].id = "coatcheck-text"));
    box.lastChild.onclick = () => { act && act(); box.close(); };
    box.onclose = () => { shut(); if (!act) location.replace(location.href.replace(/#.*/, "")); };
    if (seconds) timer = setInterval(() => { box.children[1].textContent = text.replace(seconds, Math.max(0, --seconds)); text = box.children[1].textContent; }, 1e3);
    document.body.append(box);
    box.showModal();
  }

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".coatcheck-notice{color-scheme:light dark;font:var(--coatcheck-font,1rem/1.5 system-ui,sans-serif);color:var(--coatcheck-text,CanvasText);background:var(--coatcheck-background,Canvas);border:1px solid var(--coatcheck-border,GrayText);border-radius:.75rem;padding:1.5rem;box-sizing:border-box;max-width:min(28rem,calc(100% - 2rem))}.coatcheck-notice::backdrop{background:rgb(0 0 0/.5)}.coatcheck-notice h2{margin:0;font-size:1.25em}.coatcheck-notice p{margin:.75rem 0 1.25rem;white-space:pre-line;overflow-wrap:anywhere}.coatcheck-notice button{font:inherit;padding:.5rem 1rem;border:0;border-radius:.5rem;cursor:pointer;color:var(--coatcheck-button-text,Canvas);background:var(--coatcheck-button,CanvasText)}");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

  window.coatcheck = { get pageId() { return id; }, stay: () => ((over = 0), post("stay", { id }).then(() => beat(0))) };
  const wake = () => { if (!document.hidden) { beat(5e3); listen(); } else if (!locks && stream) { stream.close(); stream = null; } };
  for (const name of ["visibilitychange", "resume", "prerenderingchange"]) document.addEventListener(name, wake);
  addEventListener("online", () => beat(0));
  addEventListener("pageshow", ({ persisted }) => { if (persisted) { id = newId(); beat(0); } });
  addEventListener("beforeunload", () => { leaving = 1; setTimeout(() => (leaving = 0), 4e3); });
  addEventListener("pagehide", () => { navigator.sendBeacon(at + "leave", JSON.stringify({ id })); part(); });
  setInterval(() => {
    beat(58e3);
    if (!stream || Date.now() - heard < 5e4) return;
    stream.close();
    stream = null;
    listen();
  }, 2e4);
  beat(0);
})();
`;

/** The script as it is served: without the blanks at the start of its lines. */
export const PAGE_SCRIPT = SOURCE.replace(/^ +/gm, "");

/** Changes with the script, so that a browser may keep what it has. */
export const PAGE_SCRIPT_HASH = hash("sha256", PAGE_SCRIPT, "base64url").slice(0, 16);
