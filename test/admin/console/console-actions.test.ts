import express from "express";
import { requireSecurityKey } from "../../../lib";
import { EXPRESSES, send } from "../../support/app";
import { hiddenFields, startConsole, textOf } from "../../support/console-app";
import type { ConsoleApp, ConsoleAppOptions } from "../../support/console-app";
import { idOf } from "../../support/session-life";

const FORM = { "content-type": "application/x-www-form-urlencoded" };

describe.each(EXPRESSES)("ending sessions in the console, on %s", (_name, version) => {
  let app: ConsoleApp;
  let root: string;
  let alice: string;
  afterEach(() => app.close());

  const start = async (options: ConsoleAppOptions = {}) => {
    app = await startConsole({ express: version, ...options });
    [root, alice] = [await app.login("root"), await app.login("alice")];
    return `/end/session/${idOf(alice)}`;
  };
  const send403 = async (path: string, cookie: string, fields: Record<string, string>) => {
    const answer = await app.post(
      `/admin/sessions${path}`,
      { cookie, ...FORM },
      new URLSearchParams(fields).toString(),
    );
    expect(answer.status).toBe(403);
    expect(await app.sessions.getSession(idOf(alice))).toMatchObject({ endedAt: null });
  };

  test("one session: the form asks first, the message is stored, and the answer says how many", async () => {
    const path = await start();
    expect(textOf(await app.open(root, path))).toContain("This ends 1 session .");
    const answer = await app.submit(root, path, "Please\r\nsign in again.");
    expect([answer.status, textOf(answer)]).toEqual([200, expect.stringContaining("1 session ended")]);
    expect(await app.sessions.getSession(idOf(alice))).toMatchObject({
      ...{ endReason: "killed", endedBy: "root", endMessage: "Please\nsign in again." },
    });
    expect(textOf(await app.submit(root, path))).toContain("Nothing was left to end");
  });

  test("all of a user, whatever the name holds", async () => {
    await start();
    const user = "a/b?c&d=é <x>";
    for (let i = 0; i < 3; i += 1) await app.login(user);
    const path = `/end/user?${new URLSearchParams({ user }).toString()}`;
    const question = await app.open(root, path);
    expect(textOf(question)).toContain("This ends 3 sessions .");
    expect(question.body).toContain("a/b?c&amp;d=é &lt;x&gt;");
    expect(textOf(await app.submit(root, path))).toContain("3 sessions ended");
    expect(await app.sessions.getSessionInfo({ username: user })).toHaveLength(0);
    expect(await app.sessions.getSessionInfo()).toHaveLength(2);
  });

  test("the guests", async () => {
    await start();
    for (let i = 0; i < 2; i += 1) await app.get("/guest");
    expect(textOf(await app.open(root, "/end/user?user=Unauthenticated"))).toContain("This ends 2 sessions .");
    expect(textOf(await app.submit(root, "/end/user?user=Unauthenticated"))).toContain("2 sessions ended");
    expect(await app.sessions.getSessionInfo()).toHaveLength(2);
  });

  test("all but mine spares the acting session, and no other of the same user", async () => {
    await start();
    await app.login("root");
    expect(textOf(await app.open(root, "/end/others"))).toContain("This ends 2 sessions .");
    expect(textOf(await app.submit(root, "/end/others"))).toContain("2 sessions ended");
    expect((await app.sessions.getSessionInfo()).map(({ id }) => id)).toEqual([idOf(root)]);
    expect((await app.open(root)).status).toBe(200);
  });

  test("P2: everyone, including the admin, who is told so and is signed out", async () => {
    await start();
    expect(textOf(await app.open(root, "/end/everyone"))).toContain("Your own session is among them");
    const answer = await app.submit(root, "/end/everyone");
    expect([answer.status, answer.cookie]).toEqual([200, undefined]);
    expect(textOf(answer)).toContain("2 sessions ended");
    expect(textOf(answer)).toContain("Your own session was among them: you are signed out.");
    expect(await app.sessions.getSessionInfo()).toHaveLength(0);
    expect((await app.open(root)).status).toBe(401);
  });

  test("a GET ends nothing, even with a valid security key", async () => {
    const path = await start();
    for (const method of ["GET", "HEAD"]) {
      const fields = hiddenFields(await app.open(root, path));
      const query = new URLSearchParams({ ...fields, message: "" }).toString();
      expect((await send(method, `${app.url}/admin/sessions${path}?${query}`, { cookie: root })).status).toBe(200);
    }
    expect(await app.sessions.getSession(idOf(alice))).toMatchObject({ endedAt: null });
  });

  test("refused without a security key, and with one of another session, a used one, or one for another action", async () => {
    const path = await start();
    const second = await app.login("root");
    await send403(path, root, {});
    await send403(path, root, { consoleKey: "A".repeat(43) });
    await send403(path, root, hiddenFields(await app.open(second, path)));
    await send403(path, root, hiddenFields(await app.open(root, "/end/user?user=nobody")));
    await send403("/end/everyone", root, hiddenFields(await app.open(root, path)));

    const bob = await app.login("bob");
    const ofBob = `/end/session/${idOf(bob)}`;
    const fields = hiddenFields(await app.open(root, ofBob));
    const post = () =>
      app.post(`/admin/sessions${ofBob}`, { cookie: root, ...FORM }, new URLSearchParams(fields).toString());
    const answers = await Promise.all([post(), post(), post()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 403, 403]);
    expect((await post()).status).toBe(403);
  });

  test("a form without a valid security key is in the audit, as refused", async () => {
    const path = await start();
    await send403(path, root, {});
    await send403("/end/user?user=alice", root, hiddenFields(await app.open(root, path)));
    await send403("/end/everyone", root, {});
    const token = alice.slice(alice.indexOf("=") + 1);
    await send403(`/end/session/${token}`, root, {});
    const refusal = { actor: "root", result: "refused", reason: "no valid key", correlationId: expect.any(String) };
    expect(app.entries.filter(({ result }) => result === "refused")).toMatchObject([
      { ...refusal, action: "kill", target: idOf(alice), targetUser: "alice" },
      { ...refusal, action: "killByUser", target: null, targetUser: "alice" },
      { ...refusal, action: "killAll", target: null, targetUser: null },
      { ...refusal, action: "kill", target: idOf(alice), targetUser: "alice" },
    ]);
    expect(JSON.stringify(app.entries)).not.toContain(token);
  });

  test("a super-user whose session was ended a moment ago can do nothing", async () => {
    const path = await start();
    const fields = hiddenFields(await app.open(root, path));
    await app.sessions.kill(idOf(root));
    const answer = await app.post(
      `/admin/sessions${path}`,
      { cookie: root, ...FORM },
      new URLSearchParams(fields).toString(),
    );
    expect(answer.status).toBe(401);
    expect(await app.sessions.getSession(idOf(alice))).toMatchObject({ endedAt: null });
  });

  test("a body that is not a form, or is too long, is refused, and nothing is ended", async () => {
    const path = await start();
    const fields = () => app.open(root, path).then(hiddenFields);
    const post = async (type: string, body: string, headers = {}) =>
      (await app.post(`/admin/sessions${path}`, { cookie: root, "content-type": type, ...headers }, body)).status;
    const form = async (message: string) => new URLSearchParams({ ...(await fields()), message }).toString();
    expect(await post("application/json", JSON.stringify(await fields()))).toBe(415);
    expect(await post(FORM["content-type"], await form(""), { "content-encoding": "gzip" })).toBe(415);
    expect(await post(FORM["content-type"], await form("x".repeat(20_000)))).toBe(413);
    expect(await post(FORM["content-type"], await form("x".repeat(501)))).toBe(400);
    expect(await app.sessions.getSession(idOf(alice))).toMatchObject({ endedAt: null });
    expect(await post(`${FORM["content-type"]}; charset=UTF-8`, await form("x".repeat(500)))).toBe(303);
  });

  test.each([
    ["nothing", () => undefined],
    ["a parser of forms", (on) => on.use(version.urlencoded({ extended: true }))],
    ["a parser of something else", (on) => on.use(version.json())],
    ["a guard", (on) => on.use(version.urlencoded({ extended: false }), requireSecurityKey())],
    ["a guard of one-time keys", (on) => on.use(express.urlencoded(), requireSecurityKey({ oneTime: true }))],
  ] as [string, (on: express.Express) => void][])("works after %s of the app's", async (_what, before) => {
    const path = await start({ before });
    expect(textOf(await app.submit(root, path))).toContain("1 session ended");
  });

  test("each action is in the audit, with who ended whose sessions, and how many", async () => {
    const path = await start();
    await app.submit(root, path);
    await app.submit(root, "/end/user?user=alice");
    await app.submit(root, "/end/others");
    await app.submit(root, "/end/everyone");
    const ends = app.entries.filter(({ ended }) => ended !== undefined);
    expect(ends).toMatchObject([
      { actor: "root", action: "kill", target: idOf(alice), targetUser: "alice", result: "allowed", ended: 1 },
      { actor: "root", action: "killByUser", target: null, targetUser: "alice", result: "allowed", ended: 0 },
      { actor: "root", action: "killAll", result: "allowed", ended: 0 },
      { actor: "root", action: "killAll", result: "allowed", ended: 1 },
    ]);
    const told = JSON.stringify(app.entries);
    for (const cookie of [root, alice]) expect(told).not.toContain(cookie.split("=")[1]);
  });
});
