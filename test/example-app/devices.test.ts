import { cookiesOf, openTeaHouse, post, signIn } from "./open-tea-house";
import type { TeaHouse } from "./open-tea-house";

const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1";
const LAPTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

describe("your devices", () => {
  let house: TeaHouse;
  beforeEach(async () => (house = await openTeaHouse()));
  afterEach(async () => house.sessions.close());

  function device(userAgent: string) {
    return house.visitor().set("User-Agent", userAgent);
  }

  test("shows where this user is signed in, and nobody else's devices", async () => {
    const [laptop, phone, stranger] = [device(LAPTOP), device(PHONE), device("curl/8.0")];
    for (const mine of [laptop, phone]) await signIn(mine, "alice");
    await signIn(stranger, "bob");

    const page = await laptop.get("/devices").expect(200);
    expect(page.text).toMatch(/Firefox · Windows\s*<span class="tag">This device/);
    expect(page.text).toContain("Safari · iPhone");
    expect(page.text).toContain("127.0.0.1");
    expect(page.text).not.toContain("curl");
    expect(idsOn(page.text)).toHaveLength(1);
  });

  test("P2: one device is signed out from another", async () => {
    const [laptop, phone] = [device(LAPTOP), device(PHONE)];
    for (const mine of [laptop, phone]) await signIn(mine, "alice");

    const [id] = idsOn((await laptop.get("/devices")).text);
    await post(laptop, "/devices/sign-out", { id: id! });
    expect((await laptop.get("/devices")).text).toContain("The device was signed out.");
    await phone.get("/devices").expect(303).expect("Location", "/sign-in?next=%2Fdevices");
  });

  test("P2: all other devices are signed out, other people's are not", async () => {
    const [laptop, phone, tablet, stranger] = [LAPTOP, PHONE, PHONE, PHONE].map(device);
    for (const mine of [laptop!, phone!, tablet!]) await signIn(mine, "alice");
    await signIn(stranger!, "bob");

    await post(laptop!, "/devices/sign-out-others");
    expect((await laptop!.get("/devices")).text).toContain("Other devices signed out: 2.");
    await phone!.get("/devices").expect(303);
    await tablet!.get("/devices").expect(303);
    await stranger!.get("/devices").expect(200);
  });

  test("nobody signs out somebody else's device, even knowing its id", async () => {
    const [alice, alicesPhone, bob] = [LAPTOP, PHONE, PHONE].map(device);
    for (const mine of [alice!, alicesPhone!]) await signIn(mine, "alice");
    await signIn(bob!, "bob");

    const [id] = idsOn((await alice!.get("/devices")).text);
    expect((await post(bob!, "/devices/sign-out", { id: id! })).status).toBe(404);
    await alicesPhone!.get("/devices").expect(200);
  });

  test("P6: the page shows ids, never a token", async () => {
    const laptop = device(LAPTOP);
    const phoneToken = tokenOf(cookiesOf(await signIn(device(PHONE), "alice")));
    const laptopToken = tokenOf(cookiesOf(await signIn(laptop, "alice")));
    const page = await laptop.get("/devices");
    expect(page.text).not.toContain(phoneToken);
    expect(page.text).not.toContain(laptopToken);
  });
});

function idsOn(page: string): string[] {
  return [...page.matchAll(/name="id" value="([^"]+)"/g)].map((match) => match[1]!);
}

function tokenOf(cookies: string[]): string {
  return /^[^=]+=([^;]+)/.exec(cookies[0]!)![1]!;
}
