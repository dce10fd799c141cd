import { MemoryStore } from "coatcheck/testing";
import { cookiesOf, openTeaHouse, post, signIn } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

/** A store that can be unplugged, and that can end a session between a request's load and its save. */
class FragileStore extends MemoryStore {
  isDown = false;
  killAfterLoad = false;

  override load(id: string) {
    if (this.isDown) throw new Error("connection refused");
    const record = super.load(id);
    if (this.killAfterLoad) {
      const endedAt = Date.now();
      void this.end(id, { endedAt, reason: "killed", endedBy: null, purgeAt: endedAt + 60_000 });
    }
    return record;
  }
}

describe("error pages", () => {
  let house: TeaHouse;
  let logged: jest.SpyInstance;
  let store: FragileStore;
  beforeEach(async () => {
    logged = jest.spyOn(console, "error").mockImplementation();
    store = new FragileStore();
    house = await openTeaHouse(store);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await house.sessions.close();
  });

  test("P7: while the store is down, a visitor is told so, and not taken for a stranger", async () => {
    const alice = house.visitor();
    await signIn(alice, "alice");

    store.isDown = true;
    const page = await alice.get("/cart").expect(503).expect("Content-Type", /html/);
    expect(page.text).toContain("The kettle is off");
    expect(page.text).not.toContain("connection refused");
    expect(page.text).not.toContain('href="/sign-in"');
    expect(page.text).not.toContain("cart-count");
    expect(cookiesOf(page)).toEqual([]);
    expect(logged).toHaveBeenCalledTimes(1);

    store.isDown = false;
    await alice.get("/devices").expect(200);
  });

  test("P2: a visitor who was signed out during a request is told so, and shown the way back", async () => {
    const alice = house.visitor();
    await signIn(alice, "alice");

    await post(alice, "/cart/matcha/add"); // From now on she has a page open.
    store.killAfterLoad = true;
    const page = await post(alice, "/language", { language: "de" });
    expect(page.status).toBe(409);
    expect(page.text).toContain("You were signed out elsewhere");
    expect(page.text).toContain('href="/sign-in"');
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.headers.location).toBeUndefined();
    expect(cookiesOf(page)).toEqual([]);
  });

  test("a body that is too large is the client's mistake, and is not logged", async () => {
    const answer = await post(house.visitor(), "/sign-in", { username: "a".repeat(20_000) });
    expect(answer.status).toBe(413);
    expect(logged).not.toHaveBeenCalled();
  });
});
