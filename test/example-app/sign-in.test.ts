import request from "supertest";
import { cartCount, cookiesOf, openTeaHouse, PASSWORD, post, signIn } from "./open-tea-house";
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

  test("only who asks to be remembered gets a cookie that outlives the browser", async () => {
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

  test("what is behind the sign-in is in no cache", async () => {
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
    await request(house.app).post("/sign-out").set("Host", "tea.example").set(header, value).expect(303);
  });
});
