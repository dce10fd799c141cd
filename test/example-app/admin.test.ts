import { cartCount, openTeaHouse, post, signIn } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

describe("the admin's page", () => {
  let house: TeaHouse;
  beforeEach(async () => (house = await openTeaHouse()));
  afterEach(async () => house.sessions.close());

  test("is for the admin only", async () => {
    const visitor = house.visitor();
    await visitor.get("/admin").expect(303).expect("Location", "/sign-in?next=%2Fadmin");
    await signIn(visitor, "bob");
    expect((await visitor.get("/admin").expect(403)).text).toContain("Staff only");
    expect((await post(visitor, "/admin/users/alice/end-sessions")).status).toBe(403);
  });

  test("counts the sessions of each user, and the guests", async () => {
    const [admin, guest] = [house.visitor(), house.visitor()];
    for (const username of ["alice", "alice", "bob"]) await signIn(house.visitor(), username);
    await post(guest, "/cart/matcha/add");
    await signIn(admin, "admin");

    const page = (await admin.get("/admin").expect(200)).text;
    expect(["alice", "bob", "admin"].map((username) => countOf(page, `user-${username}`))).toEqual([2, 1, 1]);
    expect(countOf(page, "guests")).toBe(1);
  });

  test("P2: a user whose sessions are ended is signed out everywhere, and the cart is gone", async () => {
    const [admin, phone, laptop, bob] = Array.from({ length: 4 }, () => house.visitor());
    for (const hers of [phone!, laptop!]) await signIn(hers, "alice");
    await signIn(bob!, "bob");
    await post(laptop!, "/cart/matcha/add");
    await signIn(admin!, "admin");

    await post(admin!, "/admin/users/alice/end-sessions");
    expect((await admin!.get("/admin")).text).toContain("Sessions of Alice that were ended: 2.");

    for (const hers of [phone!, laptop!]) {
      await hers.get("/devices").expect(303).expect("Location", "/sign-in?next=%2Fdevices");
      expect(cartCount(await hers.get("/cart"))).toBe(0);
    }
    await bob!.get("/devices").expect(200);
  });

  test("the admin's own other sessions end, this one stays", async () => {
    const [here, elsewhere] = [house.visitor(), house.visitor()];
    for (const own of [here, elsewhere]) await signIn(own, "admin");
    await post(here, "/admin/users/admin/end-sessions");
    expect((await here.get("/admin").expect(200)).text).toContain("Sessions of Admin that were ended: 1.");
    await elsewhere.get("/admin").expect(303);
  });

  test("there is nothing to end for a user who does not exist", async () => {
    const admin = house.visitor();
    await signIn(admin, "admin");
    expect((await post(admin, "/admin/users/__guest__/end-sessions")).status).toBe(404);
  });
});

function countOf(page: string, row: string): number {
  const count = new RegExp(`data-testid="${row}"[^]*?class="count">(\\d+)<`).exec(page)?.[1];
  if (count === undefined) throw new Error(`The page has no row ${row}.`);
  return Number(count);
}
