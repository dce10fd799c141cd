import { GUEST_USER, Sessions } from "../lib";
import type { FindQuery } from "../lib";
import type { Ending } from "../lib/record/session-record";
import { MemoryStore } from "../lib/stores/memory-store";
import { killed, sessionRecord } from "./support/session-records";

const OWNERS = ["5", "[object Object]", GUEST_USER, GUEST_USER, "alice", "alice", "bob", "null", "undefined"];

let sessions: Sessions;
beforeEach(async () => {
  const store = new MemoryStore();
  for (const owner of OWNERS) await store.create(sessionRecord({ owner }));
  sessions = new Sessions({ store, clearSchedule: false, storeTimeout: "20s" });
});
afterEach(() => sessions.close());

/** The owners of the sessions that are live, in the order of `OWNERS`. */
async function owners(): Promise<string[]> {
  const left = (await sessions.getSessionInfo()).map(({ username }) => username);
  return left.map((username) => (username === "Unauthenticated" ? GUEST_USER : username)).sort();
}

const without = (...ended: string[]) => OWNERS.filter((owner) => !ended.includes(owner));

/** What a caller without types may hand in. */
const kill = (...args: unknown[]) => (sessions.killSessionByUser as (...args: unknown[]) => Promise<number>)(...args);

describe("killSessionByUser", () => {
  it("ends all sessions of the user, and nobody else's", async () => {
    expect(await kill("alice")).toBe(2);
    expect(await owners()).toEqual(without("alice"));
    expect(await kill("alice")).toBe(0);
  });

  it("also ends a session that begins when the query is past it: it asks until a whole query finds none", async () => {
    let late = 2;
    class LateLogins extends MemoryStore {
      override async *find(query: FindQuery) {
        yield* super.find(query);
        if (late-- > 0) await this.create(sessionRecord({ owner: "alice" }));
      }
    }
    const store = new LateLogins();
    await store.create(sessionRecord({ owner: "alice" }));
    await sessions.close();
    sessions = new Sessions({ store, clearSchedule: false });
    expect(await kill("alice")).toBe(3);
    expect(await owners()).toEqual([]);
  });

  it("P2: goes after a session that is replaced before it can be ended, also by an instance whose clock is behind", async () => {
    let escapes = 20;
    class Escaping extends MemoryStore {
      override async end(id: string, ending: Ending) {
        if (escapes-- > 0) await this.replace(id, { ...killed(), reason: "reset" }, sessionRecord({ owner: "alice" }));
        return super.end(id, ending);
      }
    }
    const store = new Escaping();
    await store.create(sessionRecord({ owner: "alice" }));
    await sessions.close();
    sessions = new Sessions({ store, clearSchedule: false, now: () => Date.now() + 5 * 60_000 });
    expect(await kill("alice")).toBe(1);
    expect(await owners()).toEqual([]);
  });

  it("reads no more than headers, as a listing does", async () => {
    const store = new MemoryStore();
    await store.create(sessionRecord({ owner: "alice" }));
    const find = jest.spyOn(store, "find");
    await sessions.close();
    sessions = new Sessions({ store, clearSchedule: false });
    expect(await sessions.getSessionInfo({ username: "alice" })).toHaveLength(1);
    expect(await kill("alice")).toBe(1);
    expect(find.mock.calls.length).toBeGreaterThan(2);
    for (const [query] of find.mock.calls) expect(query).toMatchObject({ state: "live", fields: "header" });
  });

  it("ends nothing for a user who has no session", async () => {
    expect(await kill("carol")).toBe(0);
    expect(await owners()).toEqual(OWNERS);
  });

  it("with GUEST_USER ends the sessions of nobody, and no user's", async () => {
    expect(await kill(GUEST_USER)).toBe(2);
    expect(await owners()).toEqual(without(GUEST_USER));
  });

  it("with no argument at all ends every session, as killAllSessions does", async () => {
    expect(await kill()).toBe(OWNERS.length);
    expect(await owners()).toEqual([]);
    expect(await sessions.killAllSessions()).toBe(0);
  });

  const refused: [string, unknown][] = [
    ["undefined", undefined],
    ["null", null],
    ["5", 5],
    ["{}", {}],
    ["an array", ["alice"]],
    ["a String object", Object("alice")],
    ["true", true],
    ["an empty string", ""],
    ["1,025 bytes", "x".repeat(1025)],
    ["1,026 bytes in 513 characters", "é".repeat(513)],
    ["what is not well-formed", "\ud800"],
  ];

  it.each(refused)("refuses %s with SESSION_ARGUMENT, and ends nothing", async (_what, user) => {
    await expect(kill(user)).rejects.toMatchObject({
      code: "SESSION_ARGUMENT",
      message: expect.stringContaining("killSessionByUser(user)"),
    });
    expect(await owners()).toEqual(OWNERS);
  });

  it("says what to call instead where the argument is missing", async () => {
    await expect(kill(undefined)).rejects.toThrow("killAllSessions()");
  });

  it("takes a user id of 1,024 bytes, and one of more than one byte a character", async () => {
    expect(await kill("é".repeat(512))).toBe(0);
  });
});
