import { GUEST_USER } from "../../lib";
import { newToken, sessionIdOf } from "../../lib/record/token";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { describeOnEveryStore } from "../support/every-store";
import { sessionRecord } from "../support/session-records";

describeOnEveryStore("P5: a clientless session is opened by no cookie", (every) => {
  let app: RunningApp;
  afterEach(() => app.close());

  it("not by its id, and not even by a token that belongs to it", async () => {
    const store = await every.open();
    app = await startApp(countingRoutes, { store });
    const { id } = await app.sessions.openClientlessSession("alice", { data: { views: 41 } });
    // No such token leaves the library; this one is made up together with its record.
    const token = newToken();
    await store.create(sessionRecord({ id: sessionIdOf(token), owner: "alice", scope: "clientless" }));
    for (const value of [id, token]) {
      const read = await app.get("/read", { cookie: `sid=${value}` });
      expect([JSON.parse(read.body), read.cookie]).toEqual([{ views: 0, owner: GUEST_USER }, undefined]);
      const counted = await app.get("/count", { cookie: `sid=${value}` });
      expect(counted.cookie).toMatch(/^sid=/);
      expect(counted.cookie).not.toBe(`sid=${value}`);
    }
    expect((await store.load(id))?.data.views).toBe("41");
    expect(await app.sessions.getSessionInfo({ username: "alice" })).toHaveLength(2);
  });

  it("P6: and its token is nowhere: the record has only its id", async () => {
    const store = await every.open();
    app = await startApp(countingRoutes, { store });
    const session = await app.sessions.openClientlessSession("alice");
    const texts = (await every.bytesOf(store)).toString("latin1").match(/[A-Za-z0-9_-]{43}/g) ?? [];
    expect(texts.filter((text) => sessionIdOf(text) === session.id)).toEqual([]);
    expect(session.cookie.maxAge).toBeNull();
  });

  it("and no app can give that scope to a browser's session", async () => {
    app = await startApp(countingRoutes, { store: await every.open(), scope: () => "clientless" });
    const answer = await app.get("/count");
    expect([answer.status, JSON.parse(answer.body).code, answer.cookie]).toEqual([500, "SESSION_CONFIG", undefined]);
    await expect(startApp(countingRoutes, { scope: "clientless" })).rejects.toMatchObject({ code: "SESSION_CONFIG" });
  });
});
