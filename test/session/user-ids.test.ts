import { userId } from "../../lib/session/session-owner";
import { startLifeApp } from "../support/session-life";
import { MemoryStore } from "../../lib/stores/memory-store";

describe("the id of a user", () => {
  it.each(["__guest__", "Unauthenticated"])("can't be %s, which stands for nobody", (user) => {
    expect(() => userId(user, "login(user)")).toThrow(
      expect.objectContaining({ code: "SESSION_ARGUMENT", message: expect.stringContaining(`"${user}" stands for`) }),
    );
  });

  it.each(["unauthenticated", "Unauthenticated ", "guest", "0"])("can be %j", (user) => {
    expect(userId(user, "login(user)")).toBe(user);
  });

  it("can't hide its sessions among those of guests, whether by login or by userOf", async () => {
    const app = await startLifeApp({
      store: new MemoryStore(),
      userOf: (session) => (session.has("tea") ? "Unauthenticated" : null),
    });
    try {
      expect((await app.get("/login/Unauthenticated")).status).toBe(500);
      expect((await app.get("/set")).status).toBe(500);
      expect(await app.sessions.getSessionInfo()).toEqual([]);
    } finally {
      await app.close();
    }
  });
});
