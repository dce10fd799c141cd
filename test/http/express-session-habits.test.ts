import type { Express } from "express";
import { Sessions } from "../../lib";
import { MemoryStore } from "../../lib/stores/memory-store";
import { startApp } from "../support/app";
import type { AppOptions, RunningApp } from "../support/app";

let app: RunningApp;
afterEach(() => app.close());

/** What docs/from-express-session.md says of habits that give no error, and of those that do. */
describe("a habit from express-session", () => {
  async function start(build: (main: Express) => void, options: AppOptions = {}) {
    app = await startApp((main) => {
      main.get("/set", (req, res) => {
        req.session.set("tea", "oolong");
        res.json(req.session.id);
      });
      main.get("/id", (req, res) => res.json(req.session.id));
      main.get("/tea", (req, res) => res.json(req.session.get("tea", null)));
      build(main);
    }, options);
  }
  const body = async (path: string, cookie = "") => JSON.parse((await app.get(path, { cookie })).body);
  const visitor = async () => (await app.get("/set")).cookie!;

  it("req.session.id as an identifier: a stranger has a new one each time, until something is stored", async () => {
    await start((main) => {
      main.get("/known", (req, res) => {
        req.session.markChanged();
        res.json(req.session.id);
      });
    });
    expect(await body("/id")).not.toBe(await body("/id"));
    const { cookie, body: id } = await app.get("/known");
    expect(await body("/id", cookie)).toBe(JSON.parse(id));
  });

  it.each([
    ["req.session = null", (req: any) => (req.session = null)],
    ["delete req.session", (req: any) => delete req.session],
  ])("%s ends the session, as unset: 'destroy' did", async (_habit, unset) => {
    await start((main) => {
      main.get("/unset", (req, res) => {
        unset(req);
        res.end();
      });
    });
    const cookie = await visitor();
    expect((await app.get("/unset", { cookie })).cookie).toBe("sid=");
    expect(await body("/tea", cookie)).toBeNull();
  });

  it("destroy() leaves an empty session, on which regenerate() fails", async () => {
    await start((main) => {
      main.get("/destroy", (req, res) => {
        const { session } = req;
        void session.destroy(() => {
          void session.regenerate((error) => res.json([typeof req.session, session.size, (error as any)?.code]));
        });
      });
    });
    expect(await body("/destroy", await visitor())).toEqual(["object", 0, "SESSION_ENDED"]);
  });

  it("a key with one of the session's own names throws; set and get take it", async () => {
    await start((main) => {
      main.get("/items", (req, res) => {
        try {
          Object.assign(req.session, { items: [1] });
        } catch (error) {
          req.session.set("items", [(error as Error).name]);
        }
        res.json(req.session.get("items"));
      });
    });
    expect(await body("/items")).toEqual(["TypeError"]);
  });

  it("an instance of a class is refused, with toJSON too", async () => {
    class ObjectId {
      toJSON = () => "5f2b";
    }
    await start((main) => {
      main.get("/oid", (req, res) => {
        req.session.set("user", { _id: new ObjectId() });
        res.end();
      });
    });
    const refused = await app.get("/oid");
    expect([refused.status, refused.body]).toEqual([
      500,
      expect.stringContaining("user._id is an instance of ObjectId"),
    ]);
  });

  it("req.sessionStore has the methods by id, and none that make a session", async () => {
    await start((main) => {
      main.get("/store", (req: any, res) => {
        const names = ["get", "set", "destroy", "touch", "all", "length", "clear"];
        const absent = ["createSession", "generate", "regenerate", "load"];
        res.json([...names, ...absent].filter((name) => typeof req.sessionStore[name] === "function"));
      });
    });
    expect(await body("/store")).toEqual(["get", "set", "destroy", "touch", "all", "length", "clear"]);
  });

  it("a session of its own for an API: the one on the longer path has req.session, and both are saved", async () => {
    const options = { scope: "api", cookie: { name: "api", path: "/api" } };
    const api = new Sessions({ store: new MemoryStore(), clearSchedule: false, ...options });
    await start((main) => {
      main.use("/api", api.middleware());
      main.get("/api/set", (req, res) => {
        req.session.set("tea", "sencha");
        res.end();
      });
      main.get("/api/tea", (req, res) => res.json(req.session.get("tea", null)));
    });
    const cookie = await visitor();
    const [line = ""] = (await app.get("/api/set", { cookie })).headers["set-cookie"] ?? [];
    expect(line).toMatch(/^api=.*; Path=\/api/i);
    const both = `${cookie}; ${line.split(";")[0]}`;
    expect([await body("/tea", both), await body("/api/tea", both)]).toEqual(["oolong", "sencha"]);
    await api.close();
  });
});
