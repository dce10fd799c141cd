import { requireSecurityKey, sessionConsole } from "../../../lib";
import { MemoryStore } from "../../../lib/stores/memory-store";
import { EXPRESSES } from "../../support/app";
import { startConsole, textOf } from "../../support/console-app";
import type { ConsoleApp, ConsoleAppOptions } from "../../support/console-app";
import { idOf } from "../../support/session-life";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

describe.each(EXPRESSES)("the console's header, on %s", (_name, express) => {
  let app: ConsoleApp;
  let root: string;
  afterEach(() => app.close());
  const start = async (options: ConsoleAppOptions = {}) => {
    app = await startConsole({ express, ...options });
    root = await app.login("root");
    return (await app.open(root)).body;
  };
  const fieldsOf = (body: string) => {
    const form = /<form method="post" action="([^"]+)">([^]*?)<\/form>/.exec(body);
    const fields = [...(form?.[2] ?? "").matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name!,
      value!,
    ]);
    return { action: form?.[1], fields: Object.fromEntries(fields) as Record<string, string> };
  };
  const signOut = (fields: Record<string, string>, path = "/admin/sessions/logout") =>
    app.post(path, { cookie: root, ...FORM }, new URLSearchParams(fields).toString());

  test("says who is signed in, leads to the app, and signs out", async () => {
    const body = await start();
    expect(body).toMatch(/Signed in as <a href="\/admin\/sessions\/user\?user=root"><bdi>root<\/bdi>/);
    expect(body).toContain('<a href="/">Back to the app</a>');
    const { action, fields } = fieldsOf(body);
    expect(action).toBe("/admin/sessions/logout");
    const answer = await signOut(fields);
    expect([answer.status, answer.headers.location]).toEqual([303, "/"]);
    expect(await app.sessions.getSession(idOf(root))).toMatchObject({ endReason: "logout" });
    expect((await app.open(root)).status).toBe(401);
  });

  test("signs nobody out without the key of the session, nor by a GET", async () => {
    await start();
    expect((await signOut({})).status).toBe(403);
    expect((await signOut({ consoleKey: "A".repeat(43) })).status).toBe(403);
    const another = await app.login("root");
    expect((await signOut(fieldsOf((await app.open(another)).body).fields)).status).toBe(403);
    expect(await app.open(root, "/logout")).toMatchObject({ status: 405, headers: { allow: "POST" } });
    expect(await app.sessions.getSession(idOf(root))).toMatchObject({ endedAt: null });
  });

  test("has the app's own sign-out and home where they are named, and none where they are false", async () => {
    const body = await start({ console: { home: "/shop", signOut: "/sign-out" } });
    expect(body).toContain('<a href="/shop">Back to the app</a>');
    expect(fieldsOf(body)).toEqual({ action: "/sign-out", fields: {} });
    await app.close();
    const bare = await start({ console: { home: false, signOut: false } });
    expect(bare).not.toContain("Back to the app");
    expect(fieldsOf(bare).action).toBeUndefined();
  });

  test("signs out behind the app's guard of forms, whose key it has", async () => {
    const body = await start({ before: (on) => on.use(express.urlencoded({ extended: false }), requireSecurityKey()) });
    const { fields } = fieldsOf(body);
    expect(Object.keys(fields).sort()).toEqual(["consoleKey", "securityKey"]);
    expect((await signOut({ consoleKey: fields.consoleKey! })).status).toBe(403);
    expect((await signOut(fields)).status).toBe(303);
  });

  test("says so where there is nowhere to go after the sign-out", async () => {
    const { fields } = fieldsOf(await start({ console: { home: false } }));
    const answer = await signOut(fields);
    expect([answer.status, textOf(answer)]).toEqual([200, expect.stringContaining("You are signed out")]);
  });

  test("P4: a view writes nothing, with the sign-out in its header", async () => {
    const store = new MemoryStore();
    await start({ store });
    const before = await app.sessions.getSession(idOf(root));
    await app.open(root, "/list");
    const { keys } = (await store.load(idOf(root)))!;
    expect(Object.keys(keys)).toEqual([]);
    expect((await app.sessions.getSession(idOf(root))).lastSeenAt).toEqual(before.lastSeenAt);
  });
});

test.each([
  [{ home: "https://elsewhere.example/" }, /Option home of sessionConsole can't be .*; give a path/],
  [{ home: "//elsewhere.example" }, /home/],
  [{ home: "/\\elsewhere.example" }, /home/],
  [{ signOut: "sign-out" }, /Option signOut of sessionConsole/],
  [{ signOut: true }, /Option signOut of sessionConsole/],
])("sessionConsole refuses %j", (options, message) => {
  expect(() => sessionConsole(options as object)).toThrow(
    expect.objectContaining({ code: "SESSION_CONFIG", message: expect.stringMatching(message) }),
  );
});
