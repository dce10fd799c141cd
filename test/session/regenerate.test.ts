import { startApp } from "../support/app";
import { idOf } from "../support/session-life";

describe("regenerate", () => {
  it("P7: hands out the cookie of what is stored, also where the id was read before a save that had nothing to store", async () => {
    const ids: string[] = [];
    const app = await startApp((express) => {
      express.get("/set", (req, res) => {
        req.session.set("tea", "black");
        res.end();
      });
      express.get("/renew", async (req, res) => {
        await req.session.regenerate();
        ids.push(req.session.id);
        await req.session.save();
        await req.session.set("tea", "green").save();
        ids.push(req.session.id);
        res.end();
      });
    });
    const { cookie = "" } = await app.get("/set");
    const renewed = await app.get("/renew", { cookie });
    const stored = await app.sessions.getSessionInfo();
    await app.close();
    expect(stored.map(({ id }) => id)).toEqual([idOf(renewed.cookie)]);
    expect(ids[1]).toBe(stored[0]?.id);
  });
});
