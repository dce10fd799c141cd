import type TestAgent from "supertest/lib/agent";
import { keyIn, openTeaHouse, post, signIn } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

const MESSAGE = "The till is closed.\n<b>See you</b> tomorrow.";
const SHOWN = "The till is closed.\n&lt;b&gt;See you&lt;/b&gt; tomorrow.";
const PAGE_ID = "0123456789abcdef0123456789abcdef";

describe("a visitor whose session is over", () => {
  let house: TeaHouse;
  beforeEach(async () => (house = await openTeaHouse()));
  afterEach(async () => house.sessions.close());

  async function signedIn(username: string): Promise<TestAgent> {
    const visitor = house.visitor();
    await signIn(visitor, username);
    return visitor;
  }

  /** The admin ends the sessions of alice with a message. */
  async function endWith(message: string): Promise<number> {
    return (await post(await signedIn("admin"), "/admin/users/alice/end-sessions", { message })).status;
  }

  const openPage = (visitor: TestAgent, language: string, session?: string) =>
    visitor
      .post("/session/pages-open")
      .set("Accept-Language", language)
      .set("Sec-Fetch-Site", "same-origin")
      .send({ id: PAGE_ID, session, path: "/cart", title: "Cart" });

  test.each([
    ["without a page before", undefined, "/"],
    ["from the cart", "http://tea.example/cart?x=1", "/cart?x=1"],
  ])("an old form leads to the sign-in page, which says why: %s", async (_what, referrer, next) => {
    const alice = await signedIn("alice");
    const securityKey = keyIn(await alice.get("/cart"));
    await endWith(MESSAGE);
    const form = alice.post("/sign-out").set("Host", "tea.example").type("form");
    if (referrer !== undefined) form.set("Referer", referrer);
    const answer = await form.send({ securityKey }).expect(303);
    expect(answer.headers.location).toBe(`/sign-in?${new URLSearchParams({ next }).toString()}`);
    const page = (await alice.get(answer.headers.location!)).text;
    expect(page).toContain("You were signed out from elsewhere.");
    expect(page).toContain(`<q>${SHOWN}</q>`);
    expect(page).not.toContain("Please sign in to see that page.");
  });

  test("a form without its security key is refused all the same while the session is live", async () => {
    const alice = await signedIn("alice");
    await alice.post("/sign-out").type("form").send({ securityKey: "old" }).expect(403);
    await alice.get("/devices").expect(200);
  });

  test("the cart that went with it is missed: its page says why, and promises nothing", async () => {
    const alice = await signedIn("alice");
    await post(alice, "/cart/matcha/add");
    await endWith("");
    const cart = (await alice.get("/cart").expect(200)).text;
    expect(cart).toContain("You were signed out from elsewhere.");
    expect(cart).not.toContain("<q>");
    expect((await alice.get("/sign-in")).text).not.toContain("Your cart comes with you.");
  });

  test("the sign-in page promises the cart to a guest who has one", async () => {
    const guest = house.visitor();
    expect((await guest.get("/sign-in")).text).not.toContain("Your cart comes with you.");
    await post(guest, "/cart/matcha/add");
    expect((await guest.get("/sign-in")).text).toContain("Your cart comes with you.");
  });

  test.each([
    ["en", "Your session has ended", "You were signed out from elsewhere.", "Load the page again"],
    ["de", "Deine Sitzung ist beendet", "Du wurdest von woanders abgemeldet.", "Seite neu laden"],
    ["ja", "セッションが終了しました", "別の場所からログアウトされました。", "ページを再読み込み"],
  ])("an open page says so in the visitor's language: %s", async (language, title, text, button) => {
    const alice = await signedIn("alice");
    const { session } = (await openPage(alice, language)).body as { session: string };
    await endWith("");
    const { body } = await openPage(alice, language, session);
    expect(body).toEqual({ ended: { event: "ended", reason: "killed", message: null, title, text, button } });
  });

  test("an open page shows the admin's message as it was written, in any language", async () => {
    const alice = await signedIn("alice");
    const { session } = (await openPage(alice, "ja")).body as { session: string };
    await endWith(MESSAGE);
    expect((await openPage(alice, "ja", session)).body).toMatchObject({ ended: { message: MESSAGE, text: MESSAGE } });
  });

  test("a message that is too long ends nothing, and line breaks count as one character", async () => {
    const alice = await signedIn("alice");
    expect(await endWith("x".repeat(501))).toBe(400);
    await alice.get("/devices").expect(200);
    expect(await endWith(`${"x".repeat(249)}\r\n${"x".repeat(250)}`)).toBe(303);
    await alice.get("/devices").expect(303);
  });
});
