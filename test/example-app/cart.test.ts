import { cartCount, openTeaHouse, post, signIn } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

describe("the cart", () => {
  let house: TeaHouse;
  beforeEach(async () => (house = await openTeaHouse()));
  afterEach(async () => house.sessions.close());

  test("P1: an added tea is on the page that the redirect leads to", async () => {
    const visitor = house.visitor();
    const answer = await post(visitor, "/cart/keemun/add", { next: "/?kind=black" });
    expect([answer.status, answer.headers.location]).toEqual([303, "/?kind=black"]);

    const page = await visitor.get("/?kind=black");
    expect(cartCount(page)).toBe(1);
    expect(page.text).toContain("Keemun Mao Feng is in your cart.");
    expect((await visitor.get("/")).text).not.toContain("is in your cart.");
  });

  test("quantities change, and 0 removes the line", async () => {
    const visitor = house.visitor();
    for (const slug of ["keemun", "chamomile"]) await post(visitor, `/cart/${slug}/add`);

    await post(visitor, "/cart/keemun", { quantity: "2" });
    const two = await visitor.get("/cart");
    expect(cartCount(two)).toBe(3);
    expect(two.text).toContain("€37.30"); // 2 × 14.20 + 8.90
    expect(two.text).toContain("€41.20"); // and 3.90 for shipping

    await post(visitor, "/cart/keemun", { quantity: "0" });
    await post(visitor, "/cart/chamomile/remove");
    expect((await visitor.get("/cart")).text).toContain("Your cart is empty.");
  });

  test("from 40 euros on, shipping is free", async () => {
    const visitor = house.visitor();
    await post(visitor, "/cart/chamomile", { quantity: "5" });
    const page = await visitor.get("/cart");
    expect(page.text).toContain("€44.50");
    expect(page.text).toContain("<dd>free</dd>");
  });

  test.each(["two", "1.5", "-3", "NaN", "", "Infinity"])("a quantity of %j is refused", async (quantity) => {
    const visitor = house.visitor();
    await post(visitor, "/cart/keemun/add");
    expect((await post(visitor, "/cart/keemun", { quantity })).status).toBe(400);
    expect(cartCount(await visitor.get("/cart"))).toBe(1);
  });

  test("nobody gets more than 99 of a tea", async () => {
    const visitor = house.visitor();
    await post(visitor, "/cart/keemun", { quantity: "1000000" });
    expect(cartCount(await visitor.get("/cart"))).toBe(99);
  });

  test.each(["coffee", "__proto__", "constructor"])("a tea that we don't sell can't be added: %s", async (slug) => {
    expect((await post(house.visitor(), `/cart/${slug}/add`)).status).toBe(404);
  });

  test("P3: clicks at the same time all count", async () => {
    const visitor = house.visitor();
    await post(visitor, "/cart/sencha/add");
    await Promise.all(Array.from({ length: 20 }, () => post(visitor, "/cart/matcha/add")));
    expect(cartCount(await visitor.get("/cart"))).toBe(21);
  });

  test("checkout empties the cart and thanks with an order number", async () => {
    const alice = house.visitor();
    await signIn(alice, "alice");
    await post(alice, "/cart/matcha/add");
    expect((await alice.get("/checkout")).text).toContain("Matcha Uji no Kaze");

    expect((await post(alice, "/checkout")).headers.location).toBe("/thank-you");
    const thanks = await alice.get("/thank-you").expect(200);
    expect(thanks.text).toMatch(/Your order TH-[0-9A-F]{8} is in good hands/);
    expect(cartCount(thanks)).toBe(0);
    await alice.get("/checkout").expect(303).expect("Location", "/cart");
  });

  test("P3: of two orders at once only one is placed", async () => {
    const alice = house.visitor();
    await signIn(alice, "alice");
    await post(alice, "/cart/matcha/add");
    const answers = await Promise.all([post(alice, "/checkout"), post(alice, "/checkout")]);
    expect(answers.map((answer) => answer.headers.location).sort()).toEqual(["/cart", "/thank-you"]);
  });
});
