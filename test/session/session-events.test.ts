import { MemoryStore } from "../../lib/stores/memory-store";
import type { RunningApp } from "../support/app";
import { idOf, startLifeApp, visit } from "../support/session-life";

describe("events", () => {
  let app: RunningApp;
  let told: string[];

  beforeEach(async () => {
    app = await startLifeApp({ store: new MemoryStore() });
    told = [];
    const { sessions } = app;
    sessions.on("created", ({ id, owner }) => told.push(`created ${owner} ${id.length}`));
    sessions.on("ended", ({ id, owner, reason }) => told.push(`ended ${owner} ${reason} ${id.length}`));
  });

  afterEach(() => app.close());

  it("tell of each beginning and each end once", async () => {
    await visit(app, "/set", "/read", "/set", "/login/alice", "/set", "/logout", "/reset", "/destroy", "/destroy");
    expect(told.map((event) => event.replace(/ 43$/, ""))).toEqual([
      "created __guest__",
      ...["ended __guest__ login", "created alice"],
      ...["ended alice logout", "created __guest__"],
      ...["ended __guest__ reset", "created __guest__"],
      "ended __guest__ closed",
    ]);
  });

  it("tell of a kill once, however many calls asked for it", async () => {
    const id = idOf(await visit(app, "/login/alice"));
    await Promise.all([
      ...[app.sessions.kill(id), app.sessions.kill(id)],
      ...[app.sessions.killSessionByUser("alice"), app.sessions.killAllSessions()],
    ]);
    expect(told.filter((event) => event.startsWith("ended"))).toEqual(["ended alice killed 43"]);
  });

  it("don't endanger what is stored: what a listener throws is emitted as an error", async () => {
    app.sessions.prependListener("created", () => {
      throw new RangeError("from a listener");
    });
    const cookie = await visit(app, "/set");
    expect(JSON.parse((await app.get("/read", { cookie })).body)).toEqual({ tea: "black" });
    expect(app.errors).toEqual([new RangeError("from a listener")]);
  });

  it("become process warnings where nobody listens for `error`", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    try {
      app.sessions.removeAllListeners("error");
      app.sessions.on("created", () => {
        throw new RangeError("from a listener");
      });
      await visit(app, "/set");
      const options = { type: "CoatcheckWarning", detail: expect.stringContaining("session-events.test") };
      expect(warn.mock.calls).toEqual([["from a listener", options]]);
    } finally {
      warn.mockRestore();
    }
  });
});
