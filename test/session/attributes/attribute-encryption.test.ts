import { randomBytes } from "node:crypto";
import type { AttributeRecord } from "../../../lib";
import { CookieSignature } from "../../../lib/http/cookie/cookie-signature";
import { dictionary } from "../../../lib/record/session-record";
import type { SessionStore } from "../../../lib/stores/store";
import { describeOnEveryStore } from "../../support/every-store";
import { startVisits } from "../../support/visits";
import type { Visitor, Visits } from "../../support/visits";

const secret = () => randomBytes(32).toString("base64url");

describeOnEveryStore("encrypted attributes", (every) => {
  const current = secret();
  let store: SessionStore;
  let visits: Visits;
  let visitor: Visitor;

  beforeAll(async () => {
    store = await every.open();
    visits = await startVisits({ store, secrets: [current] });
  });

  afterAll(() => visits.close());

  beforeEach(async () => {
    visitor = visits.visitor();
    await visitor.run(({ attributes }) =>
      attributes.createMany([
        { name: "card", value: "4111", encrypt: true, expiresIn: "10m" },
        { name: "pin", value: "0000", encrypt: true },
        { name: "tea", value: "black" },
      ]),
    );
  });

  const attribute = async (name: string, of = visitor) => {
    const stored = (await store.load(of.id))?.attributes[name];
    if (stored === undefined) throw new Error(`${name} is not stored`);
    return stored;
  };

  /** Writes this to the store, as whoever can do that would. */
  async function plant(name: string, changed: AttributeRecord, to = visitor): Promise<void> {
    await store.update(to.id, {
      attributes: { set: Object.assign(dictionary<AttributeRecord>(), { [name]: changed }) },
    });
  }

  /** How reading the card fails. That nothing else is harmed by it is expected here. */
  async function refusal(of = visitor): Promise<unknown> {
    return of.run(async ({ attributes }) => {
      expect(await attributes.get("tea")).toBe("black");
      expect(await attributes.get("pin")).toBe("0000");
      expect(await attributes.exists("card")).toBe(true);
      const answers = await Promise.allSettled([
        attributes.get("card"),
        attributes.getInfo("card"),
        attributes.toObject(),
        attributes.setExpiry("card", "1h"),
      ]);
      const errors = answers.map((answer) => (answer.status === "rejected" ? (answer.reason as Error) : undefined));
      expect(new Set(errors.map((error) => error?.message)).size).toBe(1);
      return { ...errors[0], message: errors[0]?.message };
    });
  }

  const SAME = {
    ...{ statusCode: 500, expose: false },
    name: "SessionError",
    code: "ATTRIBUTE_UNREADABLE",
    status: 500,
    message: expect.stringMatching(/^The attribute "card" can't be decrypted; delete it, or set it anew\./),
  };

  it.each<[string, (stored: AttributeRecord) => Partial<AttributeRecord>]>([
    ["claims an earlier creation", ({ createdAt }) => ({ createdAt: createdAt - 1 })],
    ["claims a later change", ({ modifiedAt }) => ({ modifiedAt: modifiedAt + 1 })],
    ["lives longer", ({ expiresAt }) => ({ expiresAt: expiresAt + 1 })],
    ["lives for ever", () => ({ expiresAt: Infinity })],
    ["is text", () => ({ value: '"4111"' })],
    ["is empty", () => ({ value: new Uint8Array() })],
    [
      "has a flipped bit",
      ({ value }) => ({ value: (value as Uint8Array).map((byte, at) => (at === 37 ? byte ^ 1 : byte)) }),
    ],
    ["has a tag of four bytes", ({ value }) => ({ value: Buffer.concat([(value as Uint8Array).subarray(0, 25), (value as Uint8Array).subarray(37)]) })], // prettier-ignore
  ])("are refused where what is stored %s", async (_what, change) => {
    const stored = await attribute("card");
    await plant("card", { ...stored, ...change(stored) });
    expect(await refusal()).toEqual(SAME);
  });

  it("are refused under another name", async () => {
    await plant("card", await attribute("pin"));
    expect(await refusal()).toEqual(SAME);
  });

  it("are refused in another session, be it that of the same browser after a login", async () => {
    const moved = await attribute("card");
    const other = visits.visitor();
    await other.run(
      ({ attributes }) =>
      attributes.createMany([{ name: "pin", value: "0000" }, { name: "tea", value: "black" }]), // prettier-ignore
    );
    await plant("card", moved, other);
    expect(await refusal(other)).toEqual(SAME);

    await visitor.run(async (session) => {
      await session.login("alice");
      await session.attributes.setMany([{ name: "pin", value: "0000" }, { name: "tea", value: "black" }]); // prettier-ignore
    });
    await plant("card", moved);
    expect(await refusal()).toEqual(SAME);
  });

  it("are not read as plain where they are marked as plain", async () => {
    await plant("card", { ...(await attribute("card")), encrypted: false });
    await expect(visitor.run(({ attributes }) => attributes.get("card"))).rejects.toMatchObject({
      code: "SESSION_UNREADABLE",
    });
  });

  it("can be set again or deleted where they can't be read", async () => {
    for (const repair of ["set", "delete"] as const) {
      await plant("card", { ...(await attribute("pin")) });
      await visitor.run(async ({ attributes }) => {
        await (repair === "set" ? attributes.set("card", "5500") : attributes.delete("card"));
        expect(await attributes.get("card")).toBe(repair === "set" ? "5500" : undefined);
      });
    }
  });

  it("P7: with a new secret in front, old attributes stay readable; once the old secret is removed, they give one clear error", async () => {
    const added = secret();
    const shared = await every.open();
    const apps = await Promise.all(
      [[current], [added, current], [added]].map((secrets) => startVisits({ store: shared, secrets })),
    );
    const [before, rotated, later] = apps.map((app) => app.visitor()) as [Visitor, Visitor, Visitor];
    await before.run(({ attributes }) =>
      attributes.createMany([
        { name: "card", value: "4111", encrypt: true },
        { name: "pin", value: "1234", encrypt: true },
        { name: "tea", value: "black" },
      ]),
    );
    // Each secret signs the cookie in its own way; the token is the same.
    rotated.cookie = before.cookie;
    later.cookie = signedBy(added, before.cookie);
    expect(await rotated.run(({ attributes }) => attributes.get("card"))).toBe("4111");
    await rotated.run(({ attributes }) => attributes.update("pin", "0000"));
    expect(await refusal(later)).toEqual(SAME);
    for (const app of apps) await app.close();
  });
});

/** The same cookie as another secret signs it. */
function signedBy(newest: string, cookie: string): string {
  const [name = "", value = ""] = cookie.split("=");
  return `${name}=${new CookieSignature([newest]).sign(value.split(".")[0] ?? "")}`;
}
