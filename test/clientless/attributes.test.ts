import { randomBytes } from "node:crypto";
import { Sessions } from "../../lib";
import type { ClientlessSessionDict } from "../../lib";
import type { SessionStore } from "../../lib/stores/store";
import { describeOnEveryStore } from "../support/every-store";

const MINUTE = 60_000;

describeOnEveryStore("attributes and security keys of a clientless session", (every) => {
  let now: number;
  let store: SessionStore;
  let sessions: Sessions;
  let session: ClientlessSessionDict;

  beforeEach(async () => {
    now = Date.now();
    store = await every.open({ now: () => now });
    const secrets = [randomBytes(32).toString("hex")];
    sessions = new Sessions({ store, secrets, clearSchedule: false, now: () => now });
    session = await sessions.openClientlessSession("alice");
  });

  afterEach(() => sessions.close());

  it("are like those of any session: atomic, encrypted, and with an expiry of their own", async () => {
    const { attributes } = session;
    await attributes.createMany([
      { name: "token", value: { of: "the ledger" }, encrypt: true, expiresIn: "10m" },
      { name: "page", value: 1 },
    ]);
    await expect(attributes.create("page", 2)).rejects.toMatchObject({ code: "ATTRIBUTE_EXISTS" });
    const stored = await store.load(session.id);
    expect(stored?.attributes).toMatchObject({ token: { encrypted: true }, page: { encrypted: false, value: "1" } });
    now += 10 * MINUTE - 1;
    expect(await attributes.toObject()).toEqual({ token: { of: "the ledger" }, page: 1 });
    now += 1;
    expect(await attributes.toObject()).toEqual({ page: 1 });
  });

  it("are shared by its tasks, even where they write at the same time", async () => {
    sessions.defineTask<string>("write", ({ session: own, params }) => own.attributes.create(params, params));
    await Promise.all(["a", "b", "c"].map((name) => session.start("write", name).result()));
    expect(await session.attributes.toObject()).toEqual({ a: "a", b: "b", c: "c" });
  });

  it("P2: are gone with it, and no longer written", async () => {
    await session.attributes.create("page", 1);
    await session.close();
    expect(await session.attributes.names()).toEqual([]);
    await expect(session.attributes.set("page", 2)).rejects.toMatchObject({ code: "SESSION_ENDED" });
    expect(await store.load(session.id)).toBeUndefined();
  });

  it("P2: are gone also after a kill, once closing it has found that out", async () => {
    await session.attributes.create("page", 1);
    await sessions.kill(session.id);
    await expect(session.close()).rejects.toMatchObject({ code: "SESSION_ENDED" });
    expect(await session.attributes.toObject()).toEqual({});
  });

  it("has one-time security keys, but no static one, since it has no cookie, and the error says so", async () => {
    const key = await session.securityKeys.create({ payload: "report" });
    expect(await session.securityKeys.validate(key)).toBe("report");
    expect(await session.securityKeys.validate(key)).toBeUndefined();
    expect(() => session.securityKeys.staticKey).toThrow(expect.objectContaining({ code: "SESSION_CLIENTLESS" }));
    expect(session.securityKeys.isStaticKey(key)).toBe(false);
  });
});
