import request from "supertest";
import { TEAS } from "../../example-app/teas";
import { cookiesOf, keyIn, openTeaHouse, post } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

describe("the shelf", () => {
  let house: TeaHouse;
  beforeEach(async () => (house = await openTeaHouse()));
  afterEach(async () => house.sessions.close());

  test("P5: a visitor who only looks around gets no cookie and leaves nothing in the store", async () => {
    for (const path of ["/", "/?kind=green", "/teas/matcha", "/cart", "/nowhere", "/styles/base.css"]) {
      expect(cookiesOf(await request(house.app).get(path))).toEqual([]);
    }
    expect(await idsIn(house)).toEqual([]);
  });

  test("P5: the shelf shows strangers no security key, and the sign-in page starts a session for one", async () => {
    for (const path of ["/", "/teas/matcha", "/cart"])
      expect(keyIn(await request(house.app).get(path))).toBeUndefined();

    const page = await request(house.app).get("/sign-in").expect("Cache-Control", "no-store");
    expect(keyIn(page)).toBeDefined();
    expect(cookiesOf(page)).toHaveLength(1);
    expect(await idsIn(house)).toHaveLength(1);
  });

  test("shows every tea, or those of one kind only", async () => {
    const all = await request(house.app).get("/").expect(200);
    for (const tea of TEAS) expect(all.text).toContain(tea.name);

    const green = await request(house.app).get("/?kind=green").expect(200);
    for (const tea of TEAS) expect(green.text.includes(tea.name)).toBe(tea.kind === "green");
  });

  test("every tea has a page in every language", async () => {
    for (const tea of TEAS) {
      for (const language of ["en", "de", "ja"] as const) {
        const page = await request(house.app).get(`/teas/${tea.slug}`).set("Accept-Language", language).expect(200);
        expect(page.text).toContain(`<html lang="${language}">`);
        expect(page.text).toContain(tea.words[language].about);
      }
    }
  });

  test("a tea that we don't have is a page with status 404", async () => {
    const page = await request(house.app).get("/teas/coffee").expect(404).expect("Content-Type", /html/);
    expect(page.text).toContain("Not on our shelves");
  });

  test("the chosen language beats the browser's, and the way back stays on this site", async () => {
    const visitor = house.visitor();
    const answer = await post(visitor, "/language", { language: "ja", next: "/teas/sencha" });
    expect(answer.headers.location).toBe("/teas/sencha");
    expect((await visitor.get("/").set("Accept-Language", "de")).text).toContain('<html lang="ja">');

    expect((await post(visitor, "/language", { language: "de", next: "//evil.example" })).headers.location).toBe("/");
  });

  test("a language that we don't speak changes nothing", async () => {
    expect(cookiesOf(await post(house.visitor(), "/language", { language: "__proto__" }))).toEqual([]);
  });

  test("markup that a visitor sends comes back as text", async () => {
    const markup = `"><script>alert(1)</script>`;
    const page = await post(house.visitor(), "/sign-in", { username: markup, password: "x" });
    expect(page.status).toBe(401);
    expect(page.text).toContain("&quot;&gt;&lt;script&gt;");
    expect(page.text).not.toContain("<script>");
  });

  test("the one script of a page is the shop's own, nothing is inline, and their policy allows nothing else", async () => {
    const page = await request(house.app).get("/").expect(200);
    expect(page.headers["content-security-policy"]).toBe(
      "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(page.headers["x-content-type-options"]).toBe("nosniff");
    expect(page.headers["x-powered-by"]).toBeUndefined();
    expect(page.text.match(/<script.*/g)).toEqual(['<script src="/session/pages.js" defer></script>']);
    expect(page.text).not.toMatch(/<style|\sstyle=|\son\w+=/);
  });
});

async function idsIn({ store }: TeaHouse): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of store.find({ state: "live" })) ids.push(id);
  return ids;
}
