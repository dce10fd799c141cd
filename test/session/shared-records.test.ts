import type { Express, Request } from "express";
import type { SessionDelta } from "../../lib/record/session-delta";
import type { Ending, SessionRecord } from "../../lib/record/session-record";
import { MemoryStore } from "../../lib/stores/memory-store";
import { startApp } from "../support/app";

/** What it hands out and what it is given can't be changed any more: writing to it throws. */
class FreezingStore extends MemoryStore {
  override load(id: string): SessionRecord | undefined {
    return frozen(super.load(id));
  }

  override create(record: SessionRecord): Promise<void> {
    return super.create(frozen(record));
  }

  override update(id: string, delta: SessionDelta): Promise<boolean> {
    return super.update(id, frozen(delta));
  }

  override async mutate(id: string, change: (record: SessionRecord) => SessionDelta | undefined) {
    return frozen(await super.mutate(id, (record) => frozen(change(frozen(record)))));
  }

  override replace(oldId: string, ending: Ending, record: SessionRecord): Promise<boolean> {
    return super.replace(oldId, ending, frozen(record));
  }
}

/** Bytes can't be frozen; `decodeValue` copies them. */
function frozen<T>(part: T): T {
  if (typeof part !== "object" || part === null || ArrayBuffer.isView(part)) return part;
  for (const inner of Object.values(part)) frozen(inner);
  return Object.freeze(part);
}

/** What handlers do, one request after the other. */
const HANDLERS: Readonly<Record<string, (req: Request) => unknown>> = {
  start: (req) => req.session.merge({ list: [1], map: new Map([["a", 1]]), gone: 1, n: 1 }),
  deep: (req) => {
    (req.session.get("list") as number[]).push(2);
    (req.session.get("map") as Map<string, number>).set("b", 2);
  },
  saves: async ({ session }) => {
    await session.set("a", 1).save();
    session.delete("gone");
    await session.save();
    await session.set("a", 2).reload();
    await session.set("b", 1).touch();
  },
  update: (req) => req.session.update("n", (n: unknown) => Number(n) + 1),
  attributes: async ({ session: { attributes } }) => {
    await attributes.create("seat", { row: 1 });
    await attributes.set("seat", { row: 2 });
    await attributes.setExpiry("seat", "1h");
    await attributes.delete("seat");
  },
  keys: async ({ session: { securityKeys } }) => securityKeys.validate(await securityKeys.create({ payload: "mine" })),
  login: (req) => req.session.login("alice"),
  reset: (req) => req.session.reset(),
  regenerate: async (req) => {
    const data = Object.fromEntries(req.session.items());
    await req.session.regenerate();
    await req.session.merge({ ...data, again: true }).save();
  },
  logout: (req) => req.session.logout(),
};

it("a record that a store has returned or was given is never changed afterwards", async () => {
  const routes = (app: Express) => {
    app.get("/:what", async (req, res) => {
      await HANDLERS[req.params.what]?.(req);
      res.end();
    });
  };
  const options = { store: new FreezingStore(), touchInterval: "1ms" as const, keepOnLogin: ["list"] };
  const app = await startApp(routes, options);
  let cookie = "";
  const answers: [string, string][] = [];
  for (const what of ["start", ...Object.keys(HANDLERS)]) {
    const answer = await app.get(`/${what}`, { cookie });
    answers.push([what, answer.status === 200 ? "well" : answer.body]);
    cookie = answer.cookie ?? cookie;
  }
  await app.close();
  expect(answers).toEqual(answers.map(([what]) => [what, "well"]));
  expect(app.errors).toEqual([]);
});
