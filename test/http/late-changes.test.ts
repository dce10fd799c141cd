import type { RequestSession } from "../../lib/session/session";
import { EXPRESSES, startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { signal } from "../support/gate";

let app: RunningApp;
afterEach(() => app.close());

type Change = (session: RequestSession) => unknown;

describe.each(EXPRESSES)("a change after the response, on %s", (_name, express) => {
  /** Sends a request whose handler makes the change when its response has gone, and waits for the end of that turn. */
  async function late(change: Change, isGuest = false): Promise<void> {
    const done = signal();
    app = await startApp(
      (main) => {
        countingRoutes(main);
        main.get("/late", (req, res) => {
          res.on("close", () => {
            change(req.session);
            setImmediate(() => setImmediate(done.give));
          });
          res.json(req.session.views ?? 0);
        });
      },
      { express },
    );
    const { cookie } = isGuest ? {} : await app.get("/count");
    expect((await app.get("/late", cookie === undefined ? {} : { cookie })).status).toBe(200);
    await done.given;
  }

  it.each<[string, Change]>([
    ["an assignment", (session) => (session.views = 9)],
    ["set", (session) => session.set("views", 9)],
    ["delete", (session) => session.delete("views")],
    ["deleting the property", (session) => delete (session as { views?: number }).views],
    ["a value that can't be stored", (session) => session.set("views", () => 9)],
  ])("is emitted as `error`, because nothing saves it: %s", async (_what, change) => {
    await late(change);
    expect(app.errors).toEqual([expect.objectContaining({ code: "SESSION_LATE" })]);
  });

  it("of a guest throws nothing, which would end the process", async () => {
    await late((session) => (session.views = 9), true);
    expect(app.errors).toEqual([expect.objectContaining({ code: "SESSION_LATE" })]);
    expect(await app.sessions.getSessionInfo()).toEqual([]);
  });

  it.each<[string, Change]>([
    ["it is saved", (session) => session.set("views", 9).save()],
    ["the value is the same", (session) => (session.views = 1)],
  ])("is not told where %s", async (_what, change) => {
    await late(change);
    expect(app.errors).toEqual([]);
  });
});

describe("without a listener of `error`", () => {
  it("is warned of once for each place", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const done = signal();
    let answers = 0;
    app = await startApp((main) => {
      countingRoutes(main);
      main.get("/late/:where", (req, res) => {
        res.on("close", () => {
          if (req.params.where === "here") req.session.views = 9;
          else req.session.views = 8;
          answers += 1;
          if (answers === 4) setImmediate(() => setImmediate(done.give));
        });
        res.json(req.session.views ?? 0);
      });
    });
    app.sessions.removeAllListeners("error");
    const { cookie } = await app.get("/count");
    for (const where of ["here", "here", "there", "there"]) await app.get(`/late/${where}`, { cookie });
    await done.given;
    const told = warn.mock.calls.map(([, options]) => options);
    warn.mockRestore();
    expect(told).toEqual([
      expect.objectContaining({ code: "SESSION_LATE" }),
      expect.objectContaining({ code: "SESSION_LATE" }),
    ]);
  });
});
