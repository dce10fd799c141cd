import { Readable } from "node:stream";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Express, Response } from "express";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { FaultyStore } from "../support/faulty-store";

/** How long a save takes, in milliseconds: long enough for any byte to arrive before it, were it sent. */
const SLOW_MS = 100;
const VERY_SLOW_MS = 500;

/** Every way of sending a first byte. */
const ANSWERS: Readonly<Record<string, (res: Response) => void>> = {
  redirect: (res) => res.redirect("/tea"),
  end: (res) => void res.end("saved"),
  write: (res) => {
    res.write("saved");
    res.end();
  },
  writeHead: (res) => void res.writeHead(200).end("saved"),
  flushHeaders: (res) => {
    res.flushHeaders();
    res.end("saved");
  },
  pipe: (res) => void Readable.from(["sa", "ved"]).pipe(res),
};

function routes(app: Express): void {
  for (const [name, answer] of Object.entries(ANSWERS)) {
    app.get(`/${name}`, (req, res) => {
      req.session.set("tea", req.query.tea);
      answer(res);
    });
  }
  app.get("/tea", (req, res) => res.json({ tea: req.session.get("tea", null), owner: req.session.owner }));
  app.get("/login", async (req, res) => {
    await req.session.login("alice");
    res.redirect("/tea");
  });
  app.get("/logout", async (req, res) => {
    await req.session.logout();
    res.redirect("/tea");
  });
  app.get("/late", (req, res) => {
    res.write("first");
    req.session.set("tea", "late");
    res.end("last");
  });
  app.get("/too-late", (req, res) => {
    res.write("first");
    try {
      req.session.set("tea", "too late");
    } catch (error) {
      res.write((error as { code: string }).code);
    }
    res.end();
  });
  app.get("/hint", (req, res) => {
    res.writeEarlyHints({ link: "</tea.css>; rel=preload; as=style" });
    req.session.set("tea", "hinted");
    res.end("saved");
  });
}

/** What arrives on a socket, noted beside what the store has done. */
function listen(app: RunningApp, path: string, cookie: string, events: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(app.url);
    const socket = net.connect(Number(port), hostname);
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString();
      events.push(/^HTTP\/1.1 1\d\d /.test(bytes.toString()) ? "hint" : text.includes("last") ? "last byte" : "byte");
    });
    socket.on("error", reject).on("end", () => resolve(text));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\nCookie: ${cookie}\r\n\r\n`);
  });
}

describeOnEveryStore("saved before sent", (every) => {
  let store: FaultyStore;
  let app: RunningApp;
  let cookie: string;
  let events: string[];
  let slowness: number;

  beforeEach(async () => {
    store = new FaultyStore(await every.open());
    app = await startApp(routes, { store });
    cookie = (await app.get("/end?tea=first")).cookie ?? "";
    events = [];
    slowness = SLOW_MS;
    store.pause = (operation, moment) => {
      if (operation === "load") return undefined;
      if (moment === "before") return sleep(slowness);
      events.push("saved");
      return undefined;
    };
  });

  afterEach(() => app.close());

  it.each(Object.keys(ANSWERS))(
    "P1: not one byte of a response by %s leaves before a slow save is done",
    async (path) => {
      if (path === "redirect") slowness = VERY_SLOW_MS;
      const answer = await listen(app, `/${path}?tea=second`, cookie, events);
      expect(answer).toContain(path === "redirect" ? "Location: /tea" : "ved");
      expect(events.slice(0, 2)).toEqual(["saved", "byte"]);
    },
  );

  it("P1: not one byte leaves, and no cookie, before a new session is created", async () => {
    const answer = await listen(app, "/redirect?tea=new", "", events);
    expect(answer).toContain("Set-Cookie: sid=");
    expect(events.slice(0, 2)).toEqual(["saved", "byte"]);
  });

  it("P1: not one byte leaves before a login is stored", async () => {
    const answer = await listen(app, "/login", cookie, events);
    expect(answer).toContain("Set-Cookie: sid=");
    expect(events.slice(0, 2)).toEqual(["saved", "byte"]);
  });

  it("P1: a change after the first byte is saved before the last one", async () => {
    await listen(app, "/late", cookie, events);
    expect(events).toEqual(["byte", "saved", "last byte"]);
    store.pause = undefined;
    expect(JSON.parse((await app.get("/tea", { cookie })).body)).toMatchObject({ tea: "late" });
  });

  it("P1: a change after the first byte that would need a cookie throws SESSION_HEADERS_SENT", async () => {
    const answer = await listen(app, "/too-late", "", events);
    expect(answer).toContain("SESSION_HEADERS_SENT");
    expect(answer).not.toContain("Set-Cookie");
    expect(store.calls.create).toBe(1); // the one of the preparation
  });

  it("P1: informational responses don't wait", async () => {
    await listen(app, "/hint", cookie, events);
    expect(events.slice(0, 2)).toEqual(["hint", "saved"]);
  });

  it("P1: a redirect that is followed at once sees the new data, every time", async () => {
    store.pause = () => sleep(Math.random() * 3);
    for (let n = 0; n < 20; n += 1) {
      const answer = await app.get(`/redirect?tea=${n}`, { cookie });
      expect(answer.status).toBe(302);
      expect(JSON.parse((await app.get(answer.headers.location ?? "", { cookie })).body)).toMatchObject({
        tea: `${n}`,
      });
    }
  });

  it("P1: a login or logout that is followed at once is seen, every time", async () => {
    store.pause = () => sleep(Math.random() * 3);
    for (let n = 0; n < 10; n += 1) {
      for (const [path, owner] of [
        ["/login", "alice"],
        ["/logout", "__guest__"],
      ] as const) {
        const answer = await app.get(path, { cookie });
        expect(answer.status).toBe(302);
        const before = cookie;
        cookie = answer.cookie ?? "";
        expect(cookie).not.toBe(before);
        expect(JSON.parse((await app.get("/tea", { cookie })).body)).toMatchObject({ owner });
      }
    }
  });
});
