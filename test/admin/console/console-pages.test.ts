import { sessionConsole, Sessions } from "../../../lib";
import type { AuditEntry } from "../../../lib";
import { MemoryStore } from "../../../lib/stores/memory-store";
import type { FindQuery } from "../../../lib/stores/store";
import { EXPRESSES, send, startApp } from "../../support/app";
import type { Answer } from "../../support/app";
import { startConsole, textOf } from "../../support/console-app";
import type { ConsoleApp, ConsoleAppOptions } from "../../support/console-app";
import { describeOnEveryStore } from "../../support/every-store";
import { idOf } from "../../support/session-life";
import { killed, sessionRecord } from "../../support/session-records";

const SCRIPT = "<script>alert('hello')</script>";

describe.each(EXPRESSES)("the console's pages on %s", (_name, express) => {
  let app: ConsoleApp;
  afterEach(() => app.close());
  const start = async (options: ConsoleAppOptions = {}) => (app = await startConsole({ express, ...options }));

  test("are for super-users: others get the same plain page for every path, and can't end even their own sessions", async () => {
    await start();
    const alice = await app.login("alice");
    const paths = [
      "/",
      "/list",
      "/user?user=alice",
      "/export.csv",
      `/session/${idOf(alice)}`,
      "/end/everyone",
      "/end/others",
      "/none",
    ];
    const answers = [];
    for (const path of [...paths, `/end/session/${idOf(alice)}`]) answers.push(await app.open(alice, path));
    answers.push(await app.post(`/admin/sessions/end/session/${idOf(alice)}`, { cookie: alice }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(textOf(answers[0]!)).toContain("You may not see this page.");
    expect(answers[0]!.body).not.toContain('href="/admin/sessions/list');
    expect(await app.sessions.getSession(idOf(alice))).toMatchObject({ endedAt: null });
    expect(app.entries.map(({ actor, action, result }) => `${actor} ${action} ${result}`)).toEqual(
      answers.map(() => "alice enter refused"),
    );
  });

  test("pass a visitor who isn't signed in on to the app: 401, no session, and no audit entry", async () => {
    await start();
    const guest = (await app.get("/guest")).cookie ?? "";
    for (const cookie of ["", guest]) {
      const answer = await app.open(cookie);
      expect([answer.status, answer.cookie, JSON.parse(answer.body).code]).toEqual([401, undefined, "NOT_SIGNED_IN"]);
    }
    expect(app.entries).toEqual([]);
  });

  test("show sessions as text, whatever a user name, a user agent or a message holds", async () => {
    await start();
    const root = await app.login("root");
    const evil = await app.login(SCRIPT, { "user-agent": SCRIPT });
    const [live, detail] = [await app.open(root, "/list"), await app.open(root, `/session/${idOf(evil)}`)];
    await app.submit(root, `/end/session/${idOf(evil)}`, SCRIPT);
    const ended = [await app.open(root, "/"), await app.open(root, `/session/${idOf(evil)}`)];
    const asked = [
      await app.open(root, `/list?q=${encodeURIComponent(SCRIPT)}&scope=${encodeURIComponent(`">${SCRIPT}`)}`),
      await app.open(root, `/user?user=${encodeURIComponent(SCRIPT)}`),
    ];
    for (const { status, body } of [live, detail, ...ended, ...asked]) {
      expect([status, body.includes("<script>alert")]).toEqual([200, false]);
      expect(body).toContain("&lt;script&gt;alert(&#39;hello&#39;)&lt;/script&gt;");
    }
  });

  test("show names and sizes of what is in a session, and never a value or a token", async () => {
    await start();
    const [root, alice] = [await app.login("root"), await app.login("alice")];
    const { body } = await app.open(root, `/session/${idOf(alice)}`);
    expect(body).toContain("<bdi>secret</bdi>");
    expect(body).toContain(idOf(alice));
    expect(body).not.toContain("a value that nobody else sees");
    for (const cookie of [root, alice]) expect(body).not.toContain(cookie.split("=")[1]);
  });

  test("are not cached, run no script but their own, and show in no frame; style and script are cached for long", async () => {
    await start();
    const root = await app.login("root");
    const { headers, body } = await app.open(root);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
    });
    const csp = String(headers["content-security-policy"]).split("; ");
    expect(csp).toEqual(
      expect.arrayContaining([
        ...["default-src 'none'", "script-src 'self'", "connect-src 'self'", "style-src 'self'", "form-action 'self'"],
        ...["frame-ancestors 'none'", "base-uri 'none'"],
      ]),
    );
    expect(body).not.toMatch(/ style="| on\w+="|<style|<script>/);
    const assets = [...body.matchAll(/(?:href|src)="(\/admin\/sessions\/assets\/[^"]+)"/g)].map(([, path]) => path!);
    expect(assets).toHaveLength(2);
    for (const path of assets) {
      const asset = await app.get(path);
      expect([asset.status, asset.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
      expect(asset.headers.vary).toBeUndefined();
    }
  });

  test("answer HEAD without a body, other methods with 405, and unknown paths with 404", async () => {
    await start();
    const root = await app.login("root");
    const ask = (method: string, path: string) => send(method, `${app.url}/admin/sessions${path}`, { cookie: root });
    expect(await ask("HEAD", "/")).toMatchObject({ status: 200, body: "" });
    expect(await ask("POST", "/list")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    expect(await ask("DELETE", "/end/others")).toMatchObject({ status: 405, headers: { allow: "GET, HEAD, POST" } });
    const unknown = [
      "/x",
      "/list/x",
      "/session/x",
      "/end/",
      "/end/user",
      "/end/session/x",
      "/end/all/x",
      "/assets/x.css",
    ];
    for (const path of unknown) expect([path, (await ask("GET", path)).status]).toEqual([path, 404]);
    expect((await ask("GET", `/session/${"A".repeat(43)}`)).status).toBe(404);
    expect((await ask("GET", "/list?after=nonsense")).status).toBe(400);
    expect((await ask("GET", `/user?user=${"x".repeat(1025)}`)).status).toBe(400);
    for (const wrong of [`q=${"x".repeat(1025)}`, "project=a%20b", `scope=${"x".repeat(65)}`]) {
      expect((await ask("GET", `/list?${wrong}`)).status).toBe(400);
    }
    expect((await ask("GET", `/end/user?user=${"x".repeat(1025)}`)).status).toBe(400);
  });

  test("link to each other wherever the console is mounted", async () => {
    app = await startConsole({ express });
    const two = await startApp(
      (on, sessions) => {
        on.get("/in", async (req, res) => {
          await req.session.login("root");
          res.end();
        });
        const router = express.Router();
        router.use("/who", sessionConsole({ sessions, title: "A & B" }));
        on.use("/staff/:team", router);
      },
      { express, isSuperUser: () => true },
    );
    try {
      const cookie = (await two.get("/in")).cookie!;
      for (const path of ["/staff/tea%22x/who", "/staff/tea%22x/who/"]) {
        const { body } = await two.get(path, { cookie });
        expect(body).toContain("A &amp; B");
        const links = [...body.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)].map(([, link]) => link!);
        expect(links.length).toBeGreaterThan(5);
        const own = links.filter((link) => link !== "/");
        for (const link of own) expect(link).toMatch(/^\/staff\/tea%22x\/who\//);
        for (const link of own.slice(0, 4)) expect((await two.get(link, { cookie })).status).toBe(200);
      }
    } finally {
      await two.close();
    }
  });

  test("the audit of a session is shown where the app can read it, latest first", async () => {
    const trail = (id: string): AuditEntry[] => app.entries.filter(({ target }) => target === id);
    await start({ console: { auditTrail: trail } });
    const [root, alice] = [await app.login("root"), await app.login("alice")];
    await app.submit(root, `/end/session/${idOf(alice)}`);
    const text = textOf(await app.open(root, `/session/${idOf(alice)}`));
    expect(text).toMatch(/Audit .* describe .* kill .* verify /);
  });

  test("an audit that was stored as JSON is shown in the same way, latest first", async () => {
    const at = (minute: number) => `2026-05-01T10:${minute}:00.000Z` as unknown as Date;
    const entry = { correlationId: "c", app: "", actor: null, remoteAddress: "", target: null, targetUser: null };
    const trail = [12, 34, 23].map(
      (minute) => ({ ...entry, at: at(minute), action: "kill", result: "allowed", reason: `at ${minute}` }) as const,
    );
    await start({ console: { auditTrail: () => trail } });
    const root = await app.login("root");
    expect(textOf(await app.open(root, `/session/${idOf(root)}`))).toMatch(/at 34 .* at 23 .* at 12 /);
  });

  test("a failure of the app or its store is left to the app's error handling", async () => {
    const broken = () => Promise.reject(new Error("the log is gone"));
    await start({ console: { auditTrail: broken } });
    const root = await app.login("root");
    expect(await app.open(root, `/session/${idOf(root)}`)).toMatchObject({ status: 500 });
    expect((await app.open(root)).status).toBe(200);
  });

  test("a session whose user's password has expired is not shown, but can be ended", async () => {
    await start({ isPasswordExpired: (user) => user === "alice" });
    const [root, alice] = [await app.login("root"), await app.login("alice")];
    expect((await app.open(root, `/session/${idOf(alice)}`)).status).toBe(404);
    expect(textOf(await app.submit(root, `/end/session/${idOf(alice)}`))).toContain("1 session ended");
  });
});

test.each([
  [{ tite: "x" }, /There is no option tite of sessionConsole; did you mean title\?/],
  [{ title: "" }, /Option title of sessionConsole can't be ''/],
  [{ auditTrail: [] }, /auditTrail of sessionConsole can't be an array; give a function/],
  [{ sessions: {} }, /sessions of sessionConsole can't be an object; give the \.sessions/],
  [null, /The options of sessionConsole must be an object/],
  [{ title: "", auditTrail: 5 }, /2 options can't be used:\n- .*\n- /],
  [{ sessions: Sessions }, /can't be the class Sessions; give an instance of it/],
])("sessionConsole refuses %j", (options, message) => {
  expect(() => sessionConsole(options as object)).toThrow(
    expect.objectContaining({ code: "SESSION_CONFIG", message: expect.stringMatching(message) }),
  );
});

test("sessionConsole says so where no session middleware comes before it", () => {
  const errors: unknown[] = [];
  const req = { url: "/", method: "GET", headers: {} };
  sessionConsole({})(req as never, {} as never, (error) => errors.push(error));
  return new Promise(setImmediate).then(() => expect(errors).toMatchObject([{ code: "SESSION_CONFIG" }]));
});

describeOnEveryStore("the console's numbers and lists", (every) => {
  test("count, filter, page through hundreds, and show who ended", async () => {
    const store = await every.open();
    const app = await startConsole({ store });
    try {
      const root = await app.login("root");
      const records = Array.from({ length: 120 }, (_, i) => {
        const owner = i % 3 === 0 ? "__guest__" : `user-${i % 2}`;
        return sessionRecord({ owner, project: i % 4 === 0 ? "shop" : "", scope: i % 5 ? "browser" : "ios" });
      });
      await Promise.all(records.map((record) => store.create(record)));
      const gone = sessionRecord({ owner: "carol" });
      await store.create(gone);
      await store.end(gone.id, killed());

      const overview = textOf(await app.open(root));
      expect(overview).toContain("Live now 121 Signed in 81 Guests 40");
      expect(overview).toMatch(/carol now killed admin/);
      expect(await idsOf(app, root, "/list")).toHaveLength(121);
      expect(await idsOf(app, root, "/list?who=guests&project=&scope=")).toHaveLength(40);
      expect(await idsOf(app, root, "/list?who=signed-in")).toHaveLength(81);
      expect(await idsOf(app, root, "/user?user=user-1")).toHaveLength(40);
      await store.create(sessionRecord({ owner: " user-1 " }));
      expect(await idsOf(app, root, "/user?user=%20user-1%20")).toHaveLength(1);
      expect(await idsOf(app, root, "/list?q=USER-1")).toHaveLength(40);
      expect(await idsOf(app, root, "/list?project=shop&scope=ios")).toHaveLength(6);
      expect(await idsOf(app, root, "/list?project=(none)")).toHaveLength(92);
      expect(await idsOf(app, root, "/list?state=ended&q=car")).toEqual([gone.id]);
      expect(textOf(await app.open(root, "/list?q=nobody"))).toContain("There are none.");
      expect(textOf(await app.open(root, "/user?user=carol"))).toMatch(
        /Live sessions There are none\. Ended lately .* carol/,
      );
    } finally {
      await app.close();
    }
  });
});

test("a page reads five thousand sessions at most, and says so; the others are listed after them", async () => {
  const store = new CountingStore();
  const app = await startConsole({ store });
  try {
    const root = await app.login("root");
    for (let i = 1; i < 5_100; i += 1) await store.create(sessionRecord({ owner: `user-${i}` }));
    for (let i = 0; i < 400; i += 1) {
      const record = sessionRecord();
      await store.create(record);
      await store.end(record.id, killed());
    }
    for (const path of ["/", "/user?user=user-7", "/end/everyone", "/end/user?user=user-7"]) {
      store.found = 0;
      expect((await app.open(root, path)).status).toBe(200);
      expect([path, store.found <= 301]).toEqual([path, true]);
    }
    for (const path of ["/list", "/list?sort=-user&page=7", "/list?q=user-5099", "/list?who=signed-in"]) {
      store.found = 0;
      const page = await app.open(root, path);
      expect([path, store.found <= 5_010]).toEqual([path, true]);
      expect(textOf(page)).toContain("5,000 of about 5,100 live sessions were looked at and sorted");
    }
    // A whole name, and the start of an id, are found among all.
    expect(await idsOnPage(app, root, "/list?q=user-5099")).toHaveLength(1);
    const [last] = [...(await all(store))].sort().slice(-1);
    expect(await idsOnPage(app, root, `/list?q=${last!.slice(0, 8)}`)).toEqual([last]);
    // The last two pages of the first five thousand lead to those of the rest.
    const ids = await idsOf(app, root, "/list?sort=device&page=99");
    expect([ids.length, new Set(ids).size]).toEqual([200, 200]);
  } finally {
    await app.close();
  }
});

/** The sessions on a page and on all that follow it. */
async function idsOf(app: ConsoleApp, cookie: string, first: string): Promise<string[]> {
  const ids: string[] = [];
  for (let path: string | undefined = first; path !== undefined;) {
    const answer = await app.open(cookie, path);
    expect(answer.status).toBe(200);
    ids.push(...idsIn(answer));
    path = /rel="next"\s+href="\/admin\/sessions([^"]+)"/.exec(answer.body)?.[1]?.replaceAll("&amp;", "&");
  }
  return ids;
}

async function idsOnPage(app: ConsoleApp, cookie: string, path: string): Promise<string[]> {
  return idsIn(await app.open(cookie, path));
}

/** The sessions in the table of a listing, in its order. */
function idsIn({ body }: Answer): string[] {
  const ids = [...body.split("Ended lately")[0]!.matchAll(/\/session\/([\w-]{43})"/g)].map(([, id]) => id!);
  expect(ids.length).toBeLessThanOrEqual(50);
  return ids;
}

async function all(store: MemoryStore): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.find({ state: "live" })) ids.push(id);
  return ids;
}

/** Counts the records that its searches find. */
class CountingStore extends MemoryStore {
  found = 0;

  override async *find(query: FindQuery): ReturnType<MemoryStore["find"]> {
    for await (const record of super.find(query)) {
      this.found += 1;
      yield record;
    }
  }
}
