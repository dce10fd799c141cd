import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { describeOnEveryStore } from "../../support/every-store";
import { startVisits } from "../../support/visits";
import type { Visitor, Visits } from "../../support/visits";

describeOnEveryStore("what a super-user sees of attributes", (every) => {
  const told: unknown[] = [];
  let visits: Visits;
  let root: Visitor;
  let target: Visitor;
  let clock: number;

  beforeAll(async () => {
    clock = Date.now();
    const now = () => clock;
    visits = await startVisits({
      ...{ store: await every.open({ now }), now, secrets: [randomBytes(32).toString("hex")] },
      ...{ isSuperUser: (user) => user === "root", audit: (entry) => told.push(entry) },
    });
    root = visits.visitor();
    target = visits.visitor();
    await root.run((session) => session.login("root"));
    await target.run(({ attributes, securityKeys }) =>
      Promise.all([
        attributes.createMany([
          { name: "plain", value: "value one", expiresIn: "10m" },
          { name: "card", value: "value two", encrypt: true },
          { name: "__proto__", value: "value three", expiresIn: 1000 },
        ]),
        securityKeys.create({ payload: "value four" }),
      ]),
    );
    clock += 1;
    await target.run(({ attributes }) => attributes.update("plain", "value 5"));
  });

  afterAll(() => visits.close());

  const described = (by: Visitor, id = target.id) =>
    by.run((session) => visits.app.sessions.admin({ session, correlationId: "c-1" }).describe(id));

  it("is their names, sizes and times, and whether they are encrypted", async () => {
    const [createdAt, changedAt] = [new Date(clock - 1), new Date(clock)];
    expect((await described(root)).attributes).toEqual([
      { ...at("__proto__", 13, false), createdAt, modifiedAt: createdAt, expiresAt: new Date(clock - 1 + 1000) },
      { ...at("card", 11 + 38, true), createdAt, modifiedAt: createdAt, expiresAt: null },
      { ...at("plain", 9, false), createdAt, modifiedAt: changedAt, expiresAt: new Date(clock - 1 + 600_000) },
    ]);
  });

  it("P8: is nothing of an expired one, from that millisecond on", async () => {
    const names = async () => (await described(root)).attributes.map(({ name }) => name);
    clock += 998;
    expect(await names()).toEqual(["__proto__", "card", "plain"]);
    clock += 1;
    expect(await names()).toEqual(["card", "plain"]);
  });

  it("P6: is never a value: not in the result, and not in the audit", async () => {
    const shown = inspect([await described(root), told], { depth: 9, showHidden: true, getters: true });
    expect(shown).toContain("card");
    expect(shown).not.toMatch(/value (one|two|three|four|5)/);
  });

  it("is shown to nobody else, not even to the session's own user", async () => {
    for (const other of [target, visits.visitor()]) {
      await expect(described(other)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    }
  });
});

function at(name: string, bytes: number, encrypted: boolean) {
  return { name, bytes, encrypted };
}
