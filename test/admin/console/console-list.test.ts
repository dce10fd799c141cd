import { sessionConsole } from "../../../lib";
import { EXPRESSES, startApp } from "../../support/app";
import type { Answer } from "../../support/app";
import { hiddenFields, startConsole, textOf } from "../../support/console-app";
import type { ConsoleApp } from "../../support/console-app";
import { describeOnEveryStore } from "../../support/every-store";
import { idOf } from "../../support/session-life";
import { killed, sessionRecord } from "../../support/session-records";
import { dictionary } from "../../../lib/record/session-record";
import type { PageRecord } from "../../../lib/record/session-record";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const NEWER_FIREFOX = FIREFOX.replaceAll("140", "141");
const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36";

describeOnEveryStore("the console's list", (every) => {
  test("has the newest first, and sorts by each column, both ways", async () => {
    const store = await every.open();
    const app = await startConsole({ store });
    try {
      const root = await app.login("root");
      const now = Date.now();
      const pages = (n: number) =>
        Object.assign(
          dictionary<PageRecord>(),
          ...Array.from({ length: n }, (_, i) => ({
            [`abcdef012345678${i}`]: { path: "/", title: "", openedAt: now, seenAt: now },
          })),
        ) as Record<string, PageRecord>;
      const minutes = (n: number) => n * 60_000;
      const make = (owner: string, age: number, idle: number, fields = {}) =>
        store.create(
          sessionRecord({
            ...{ owner, createdAt: now - minutes(age), lastSeenAt: now - minutes(idle) },
            ...{ expiresAt: now + minutes(60 - idle), ...fields },
          }),
        );
      await make("bob", 30, 3, { remoteAddress: "10.0.0.9", userAgent: FIREFOX, project: "shop", pages: pages(2) });
      await make("alice", 20, 20, { remoteAddress: "10.0.0.5", userAgent: CHROME, scope: "ios", pages: pages(1) });
      await make("carol", 10, 1, { remoteAddress: "10.0.0.7", userAgent: "curl/8", project: "app", pages: pages(3) });
      const order = async (sort: string) =>
        [...(await app.open(root, `/list${sort}`)).body.matchAll(/<bdi>(alice|bob|carol)<\/bdi><\/a>/g)]
          .map(([, name]) => name![0])
          .join("");
      expect(await order("")).toBe("cab");
      expect(await order("?sort=-age")).toBe("bac");
      expect([await order("?sort=idle"), await order("?sort=expires")]).toEqual(["cba", "abc"]);
      expect([await order("?sort=user"), await order("?sort=-user")]).toEqual(["abc", "cba"]);
      expect([await order("?sort=address"), await order("?sort=device")]).toEqual(["acb", "acb"]);
      expect([await order("?sort=-pages"), await order("?sort=pages")]).toEqual(["cba", "abc"]);
      expect(await order("?sort=project")).toMatch(/^acb$/);
      expect(await order("?sort=-scope")).toMatch(/^a/);
      expect(await order("?sort=reason")).toBe("cab");
    } finally {
      await app.close();
    }
  });

  test("finds what a user, an id or an address begins with", async () => {
    const store = await every.open();
    const app = await startConsole({ store });
    try {
      const root = await app.login("root");
      const one = sessionRecord({ owner: "Dora", remoteAddress: "2001:db8::1" });
      const two = sessionRecord({ owner: "dorian", remoteAddress: "198.51.100.1" });
      await store.create(one);
      await store.create(two);
      const found = async (q: string, rest = "") => {
        const { body } = await app.open(root, `/list?q=${encodeURIComponent(q)}${rest}`);
        return [...body.matchAll(/\/session\/([\w-]{43})"/g)].map(([, id]) => id).sort();
      };
      const both = [one.id, two.id].sort();
      expect(await found("dor")).toEqual(both);
      expect(await found("Dora")).toEqual([one.id]);
      expect(await found("198.51")).toEqual([two.id]);
      expect(await found("2001:DB8")).toEqual([one.id]);
      for (const length of [4, 10, 43]) expect(await found(two.id.slice(0, length))).toEqual([two.id]);
      expect(await found("dorx")).toEqual([]);
      await store.end(one.id, killed());
      expect(await found("dor")).toEqual([two.id]);
      expect(await found("dor", "&state=ended")).toEqual([one.id]);
      expect(await found(one.id.slice(0, 9), "&state=ended")).toEqual([one.id]);
    } finally {
      await app.close();
    }
  });
});

describe.each(EXPRESSES)("the console's lists, on %s", (_name, express) => {
  let app: ConsoleApp;
  let root: string;
  afterEach(() => app.close());
  const start = async (options = {}) => {
    app = await startConsole({ express, ...options });
    root = await app.login("root");
  };
  const post = (path: string, fields: Record<string, string>) =>
    app.post(`/admin/sessions${path}`, { cookie: root, ...FORM }, new URLSearchParams(fields).toString());
  const formOf = async (path: string) => {
    const page = await app.open(root, path);
    return hiddenFields({ ...page, body: page.body.slice(page.body.indexOf("<main")) });
  };

  test("say by what they are sorted, and link to the other way round", async () => {
    await start();
    const { body } = await app.open(root, "/list?who=signed-in");
    expect(body.match(/aria-sort="(\w+)"/g)).toEqual(['aria-sort="ascending"']);
    expect(heading(body, "Age")).toContain('href="/admin/sessions/list?who=signed-in&amp;sort=-age"');
    expect(heading(body, "Idle")).toContain('href="/admin/sessions/list?who=signed-in&amp;sort=idle"');
    expect(heading(body, "Pages")).toContain("sort=-pages");
    expect(heading((await app.open(root, "/list?sort=-age")).body, "Age")).toContain('aria-sort="descending"');
  });

  test("show the columns that are chosen, in all their links", async () => {
    await start();
    const columns = (body: string) =>
      [...body.matchAll(/data-label="(\w+)"/g)]
        .map(([, name]) => name)
        .filter((name, i, all) => all.indexOf(name) === i);
    expect(columns((await app.open(root, "/list")).body)).toEqual([
      ...["Device", "Address", "Age", "Idle", "Expires", "Pages", "Session"],
    ]);
    const { body } = await app.open(root, "/list?show=chosen&show=project&show=scope&show=nonsense");
    expect(columns(body)).toEqual(["Project", "Scope", "Session"]);
    expect(textOf({ body } as Answer)).toContain("Default project");
    expect(heading(body, "Project")).toContain("show=chosen&amp;show=project&amp;show=scope");
    expect(columns((await app.open(root, "/list?show=chosen")).body)).toEqual(["Session"]);
  });

  test("end what is ticked, in one step, and lead back to the same page with a word of it", async () => {
    await start();
    const [one, two] = [idOf(await app.login("alice")), idOf(await app.login("bob"))];
    const back = "/list?q=&sort=-user&show=chosen&show=age";
    const path = `/end/ticked?id=${one}&id=${two}&id=${one}`;
    const asked = await app.open(root, `${path}&back=${encodeURIComponent(back)}`);
    expect(textOf(asked)).toContain("End the 2 ticked sessions? This ends 2 sessions .");
    expect(asked.body).toContain('href="/admin/sessions/list?q=&amp;sort=-user&amp;show=chosen&amp;show=age">Cancel');
    const answer = await post(path, await formOf(`${path}&back=${encodeURIComponent(back)}`));
    expect(answer.status).toBe(303);
    const location = String(answer.headers.location);
    expect(location).toMatch(/^\/admin\/sessions\/list\?q=&sort=-user&show=chosen&show=age&done=[\w-]{43}$/);
    const page = await app.get(location, { cookie: root });
    expect(page.body).toMatch(/<p class="note good" role="status"[^>]*>2 sessions ended\./);
    expect((await app.get(location, { cookie: root })).body).not.toContain("sessions ended.");
    expect(await app.sessions.getSessionInfo()).toHaveLength(1);
    const ends = app.entries.filter(({ action }) => action === "kill");
    expect(ends.map(({ target, ended }) => [target, ended])).toEqual([
      [one, 1],
      [two, 1],
    ]);
  });

  test("end the own session last where it is ticked too", async () => {
    await start();
    const alice = idOf(await app.login("alice"));
    const path = `/end/ticked?id=${idOf(root)}&id=${alice}`;
    expect(textOf(await app.open(root, path))).toContain("Your own session is among them");
    const answer = await post(path, await formOf(path));
    expect([answer.status, textOf(answer)]).toEqual([200, expect.stringContaining("2 sessions ended")]);
    expect(await app.sessions.getSessionInfo()).toHaveLength(0);
  });

  test("ask for ticks where there are none, and refuse a key that was made for others", async () => {
    await start();
    const [one, two] = [idOf(await app.login("alice")), idOf(await app.login("bob"))];
    const none = await app.open(root, "/end/ticked?back=/list?who=guests");
    expect([none.status, textOf(none)]).toEqual([400, expect.stringContaining("No session is ticked")]);
    expect((await post(`/end/ticked?id=${two}`, await formOf(`/end/ticked?id=${one}`))).status).toBe(403);
    expect((await app.open(root, `/end/ticked?id=x`)).status).toBe(400);
    expect(await app.sessions.getSessionInfo()).toHaveLength(3);
  });

  test.each([
    "https://elsewhere.example/",
    "//elsewhere.example/list",
    "/\\elsewhere.example",
    "javascript:alert(1)",
    "/list/../../elsewhere",
    "/list\r\nX-Header: 1",
    "/end/everyone",
    "",
  ])("lead back to the overview, and to nowhere else, for %j", async (back) => {
    await start();
    const path = `/end/user?user=nobody`;
    const answer = await post(path, { ...(await formOf(path)), back });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toMatch(/^\/admin\/sessions\/\?done=[\w-]{43}$/);
  });

  test("say nothing was done where a link only claims it, whatever key it has", async () => {
    await start();
    const key = await formOf("/end/everyone");
    for (const done of ["x", "A".repeat(43), key.consoleKey!]) {
      expect((await app.open(root, `/list?done=${done}`)).body).not.toContain('class="note good"');
    }
  });

  test("have a page for each user, to which their name leads, with what ended lately", async () => {
    await start();
    const user = "a/b?c&d <x>";
    const gone = idOf(await app.login(user));
    const live = idOf(await app.login(user));
    await app.login("other");
    await app.sessions.kill(gone);
    const address = `/admin/sessions/user?${new URLSearchParams({ user }).toString()}`;
    const link = `href="${address.replaceAll("&", "&amp;")}"`;
    for (const path of ["/", "/list", `/session/${live}`]) expect((await app.open(root, path)).body).toContain(link);
    const page = await app.get(address, { cookie: root });
    const [now, lately] = page.body.split("<h2>Ended lately</h2>");
    expect([now!.includes(live), now!.includes(gone), lately!.includes(gone)]).toEqual([true, false, true]);
    expect(page.body).not.toContain("<bdi>other</bdi>");
    expect(textOf(page)).toContain("End all sessions of a/b?c&amp;d &lt;x&gt; …");
    const answer = await post(
      `/end/user?${new URLSearchParams({ user }).toString()}`,
      await formOf(
        `/end/user?${new URLSearchParams({ user, back: address.slice("/admin/sessions".length) }).toString()}`,
      ),
    );
    expect(String(answer.headers.location)).toMatch(/^\/admin\/sessions\/user\?user=a%2Fb%3Fc%26d\+%3Cx%3E&done=/);
  });

  test("leave the guests' logins out of what ended lately", async () => {
    await start();
    const guest = (await app.get("/guest")).cookie!;
    await app.get("/login/alice", { cookie: guest });
    const killedGuest = (await app.get("/guest")).cookie!;
    await app.sessions.kill(idOf(killedGuest));
    const { body } = await app.open(root);
    expect([body.includes(idOf(guest)), body.includes(idOf(killedGuest))]).toEqual([false, true]);
  });

  test("mark a session that another client used, and tell which", async () => {
    await start();
    await app.close();
    app = await startConsole({
      express,
      before: (on) =>
        on.get("/change", (req, res) => {
          req.session.set("n", String(req.get("user-agent")));
          res.end();
        }),
    });
    root = await app.login("root");
    const taken = await app.login("alice", { "user-agent": FIREFOX });
    const updated = await app.login("bob", { "user-agent": FIREFOX });
    const list = async () => textOf(await app.open(root, "/list"));
    expect(await list()).not.toContain("changed");
    await app.get("/change", { cookie: updated, "user-agent": NEWER_FIREFOX });
    expect(await list()).not.toContain("changed");
    await app.get("/change", { cookie: taken, "user-agent": CHROME });
    expect(await list()).toMatch(/alice device changed/);
    const detail = textOf(await app.open(root, `/session/${idOf(taken)}`));
    expect(detail).toContain("The device changed within this session.");
    expect(detail).toMatch(/Also used from .*Chrome on Windows/);
    expect(textOf(await app.open(root, `/session/${idOf(updated)}`))).not.toContain("changed within");
  });
});

test("the console mounted at the root leads back to its own pages", async () => {
  const app = await startApp(
    (on, sessions) => {
      on.get("/in", async (req, res) => {
        await req.session.login("root");
        res.end();
      });
      on.use(sessionConsole({ sessions }));
    },
    { isSuperUser: () => true },
  );
  try {
    const cookie = (await app.get("/in")).cookie!;
    const page = await app.get("/end/user?user=nobody&back=/list", { cookie });
    const fields = hiddenFields({ ...page, body: page.body.slice(page.body.indexOf("<main")) });
    const answer = await app.post("/end/user?user=nobody", { cookie, ...FORM }, new URLSearchParams(fields).toString());
    expect(answer.headers.location).toMatch(/^\/list\?done=/);
  } finally {
    await app.close();
  }
});

/** The heading of a column. */
function heading(body: string, name: string): string {
  return [...body.matchAll(/<th role="columnheader"[^>]*>[^]*?<\/th>/g)]
    .map(([all]) => all)
    .find((all) => all.includes(`>${name}`))!;
}
