import request from "supertest";
import { cartCount, cookiesOf, keyIn, openTeaHouse, PASSWORD, post, signIn } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

describe("signing in and out", () => {
  let house: TeaHouse;
  beforeEach(async () => (house = await openTeaHouse()));
  afterEach(async () => house.sessions.close());

  test("the cart and the language come along; only the language stays after signing out", async () => {
    const visitor = house.visitor();
    await post(visitor, "/cart/matcha/add");
    await post(visitor, "/language", { language: "de" });

    await signIn(visitor, "alice");
    const home = await visitor.get("/");
    expect(cartCount(home)).toBe(1);
    expect(home.text).toContain("Schön, dass du da bist, Alice.");

    await post(visitor, "/sign-out");
    const after = await visitor.get("/");
    expect(cartCount(after)).toBe(0);
    expect(after.text).toContain("Du bist abgemeldet.");
    await visitor.get("/devices").expect(303);
  });

  test.each([
    ["a wrong password", "alice", "second flush"],
    ["an unknown name", "mallory", PASSWORD],
    ["the name of no user at all", "", PASSWORD],
    ["a name that every object has", "constructor", PASSWORD],
  ])("%s is answered with 401 and no cookie", async (_what, username, password) => {
    const answer = await post(house.visitor(), "/sign-in", { username, password });
    expect(answer.status).toBe(401);
    expect(cookiesOf(answer)).toEqual([]);
    expect(answer.text).toContain("This user name and password don&#39;t go together.");
  });

  test("P2: the cookie from before signing in opens nothing afterwards", async () => {
    const visitor = house.visitor();
    const before = cookiesOf(await post(visitor, "/cart/matcha/add"))[0]!.split(";")[0]!;
    const after = cookiesOf(await signIn(visitor, "alice"))[0]!.split(";")[0]!;
    expect(after).not.toBe(before);
    expect(cartCount(await request(house.app).get("/cart").set("Cookie", before))).toBe(0);
    expect(cartCount(await request(house.app).get("/cart").set("Cookie", after))).toBe(1);
  });

  test("only a visitor who asks to be remembered gets a cookie that outlives the browser", async () => {
    expect(cookiesOf(await signIn(house.visitor(), "alice")).join()).not.toMatch(/Max-Age|Expires/i);
    const [cookie] = cookiesOf(await signIn(house.visitor(), "alice", { remember: "yes" }));
    const days = Number(/Max-Age=(\d+)/.exec(cookie!)?.[1]) / 86_400;
    expect(Math.round(days)).toBe(30);
  });

  test("a page that needs a user leads to signing in, and from there back", async () => {
    const visitor = house.visitor();
    await visitor.get("/checkout?x=1").expect(303).expect("Location", "/sign-in?next=%2Fcheckout%3Fx%3D1");
    expect((await visitor.get("/sign-in?next=%2Fcheckout")).text).toContain("Please sign in to see that page.");
    expect((await signIn(visitor, "alice", { next: "/checkout" })).headers.location).toBe("/checkout");
    await visitor.get("/sign-in").expect(303).expect("Location", "/");
  });

  test("signing in leads to no other site", async () => {
    expect((await signIn(house.visitor(), "alice", { next: "https://evil.example/" })).headers.location).toBe("/");
  });

  test("pages behind the sign-in are not cached", async () => {
    const alice = house.visitor();
    await signIn(alice, "alice");
    await alice.get("/devices").expect(200).expect("Cache-Control", "no-store");
  });

  test.each([
    ["Sec-Fetch-Site", "cross-site"],
    ["Sec-Fetch-Site", "same-site"],
    ["Origin", "https://evil.example"],
    ["Origin", "null"],
  ])("a form that another site sends is refused: %s: %s", async (header, value) => {
    const alice = house.visitor();
    await signIn(alice, "alice");
    await alice.post("/sign-out").set(header, value).expect(403);
    await alice.get("/devices").expect(200);
  });

  test.each([
    ["Sec-Fetch-Site", "same-origin"],
    ["Origin", "http://tea.example"],
  ])("our own forms pass: %s: %s", async (header, value) => {
    const alice = house.visitor();
    await signIn(alice, "alice");
    const securityKey = keyIn(await alice.get("/"));
    const out = alice.post("/sign-out").set("Host", "tea.example").set(header, value);
    await out.type("form").send({ securityKey }).expect(303);
  });

  test("every form on every page has the security key, for visitors with a session", async () => {
    const admin = house.visitor();
    await post(admin, "/cart/matcha/add");
    const shown = [await admin.get("/sign-in")];
    await signIn(admin, "admin");
    await signIn(house.visitor(), "admin");
    for (const path of ["/", "/teas/matcha", "/cart", "/checkout", "/devices", "/admin", "/nowhere"]) {
      shown.push(await admin.get(path));
    }
    for (const { text } of shown) {
      const forms = text.split("<form ").slice(1);
      expect(forms.length).toBeGreaterThan(0);
      for (const form of forms) expect(form.split("</form>")[0]).toContain('name="securityKey"');
    }
  });

  test.each([
    "/sign-in",
    "/sign-out",
    "/cart/matcha",
    "/cart/matcha/add",
    "/checkout",
    "/devices/sign-out-others",
    "/language",
  ])(
    "a form without the security key is refused, even where the browser does not say where it comes from: %s",
    async (path) => {
      const alice = house.visitor();
      await signIn(alice, "alice");
      expect((await alice.post(path).type("form").send({ quantity: "5", language: "de" })).status).toBe(403);
      const home = await alice.get("/");
      expect([home.status, cartCount(home)]).toEqual([200, 0]);
      await alice.get("/devices").expect(200);
    },
  );

  test("nobody is signed in by a form that another site made up", async () => {
    const sent = { username: "alice", password: PASSWORD };
    const victim = house.visitor();
    await victim.post("/sign-in").type("form").send(sent).expect(403);
    const attackersKey = keyIn(await house.visitor().get("/sign-in"));
    await victim.get("/sign-in");
    const answer = await victim
      .post("/sign-in")
      .type("form")
      .send({ ...sent, securityKey: attackersKey });
    expect([answer.status, cookiesOf(answer)]).toEqual([403, []]);
  });

  test("P2: a page from before the sign-in is out of date after it: the shop says so kindly, and nothing is lost", async () => {
    const visitor = house.visitor();
    await post(visitor, "/cart/matcha/add");
    const before = keyIn(await visitor.get("/cart"));
    await signIn(visitor, "alice");

    const stale = visitor.post("/cart/matcha").set("Referer", "http://127.0.0.1/elsewhere");
    const page = await stale.type("form").send({ securityKey: before, quantity: "9" }).expect(403);
    expect(page.text).toContain("That page was out of date");
    expect(page.text).toContain("Open it again");
    expect(cartCount(page)).toBe(1);
    expect(cartCount(await visitor.get("/cart"))).toBe(1);
  });

  test.each([
    ["http://tea.example/cart?x=1", "/cart?x=1"],
    ["http://evil.example/cart", "/"],
    ["http://tea.example//evil.example", "/"],
    ["no address", "/"],
  ])("from the page that was out of date, a button leads back: %s to %s", async (referrer, path) => {
    const stale = request(house.app).post("/sign-out").set("Host", "tea.example").set("Referer", referrer);
    expect((await stale.expect(403)).text).toContain(`class="button" href="${path}"`);
  });

  test("pages open in other tabs go on working until someone signs in or out", async () => {
    const alice = house.visitor();
    await signIn(alice, "alice");
    const tabs = [keyIn(await alice.get("/")), keyIn(await alice.get("/teas/matcha")), keyIn(await alice.get("/cart"))];
    expect(new Set(tabs).size).toBe(3);
    for (const securityKey of [...tabs, ...tabs]) {
      await alice.post("/cart/matcha/add").type("form").send({ securityKey }).expect(303);
    }
    expect(cartCount(await alice.get("/cart"))).toBe(6);
  });

  test("a stranger who goes back to a shelf without security keys can go on filling the cart", async () => {
    const stranger = house.visitor();
    for (const slug of ["matcha", "keemun"]) await stranger.post(`/cart/${slug}/add`).type("form").send({}).expect(303);
    expect(cartCount(await stranger.get("/cart"))).toBe(2);
  });
});
