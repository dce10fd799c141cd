import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GuideProject } from "../support/guide-project";

/** Opens the store on a log; prints what is live there, and leaves one session more. */
const RUN_AGAIN = `
  import { Sessions } from "coatcheck";
  import { LogStore } from "./log-store.js";
  const sessions = new Sessions({ store: new LogStore("sessions.log"), clearSchedule: false });
  const names = [];
  for await (const { username } of sessions.eachSessionInfo()) names.push(username);
  console.log(names.join());
  const [user, killed] = process.argv.slice(2);
  const session = await sessions.openClientlessSession(user, { data: { constructor: user } });
  await session.update("constructor", (name) => name + "!");
  if (killed !== undefined) console.log(await sessions.killSessionByUser(killed));
  console.log(session.get("constructor"), session.get("toString") ?? "nothing");
`;

/** The store that the guide builds passes the contract, in the guide's own test. */
describe("docs/stores.md", () => {
  const guide = new GuideProject("stores.md", [], { fragments: true });

  beforeAll(async () => {
    await guide.compile();
    writeFileSync(join(guide.folder, "run-again.js"), RUN_AGAIN);
  }, 120_000);
  afterAll(() => guide.dispose());

  it("has a store whose test runs the whole contract", async () => {
    expect(guide.names).toEqual(["log-store", "log-store.test"]);
    const output = (await guide.output("log-store.test")).join("\n");
    expect(Number(/^(?:#|ℹ) pass (\d+)/m.exec(output)?.[1])).toBeGreaterThan(35);
    expect(output).toMatch(/^(?:#|ℹ) fail 0/m);
  });

  it("has a store that finds again what it has acknowledged, up to a line that a crash has cut", async () => {
    expect(await guide.output("run-again", ["alice"])).toEqual(["", "alice! nothing"]);
    appendFileSync(join(guide.folder, "sessions.log"), "an unfinished li");
    expect(await guide.output("run-again", ["bob", "alice"])).toEqual(["alice", "1", "bob! nothing"]);
    expect(await guide.output("run-again", ["carol"])).toEqual(["bob", "carol! nothing"]);
  });
});
