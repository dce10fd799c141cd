import type { SessionStore } from "coatcheck";
import { MemoryStore } from "coatcheck/testing";
import request from "supertest";
import type { Response } from "supertest";
import type TestAgent from "supertest/lib/agent";
import { createApp } from "../../example-app/app";
import type { Pace } from "../../example-app/statement-desk";
import { demoAccounts, Users } from "../../example-app/users";

export const PASSWORD = "first flush";
const USERS = Users.of(demoAccounts(PASSWORD));

/** The shop on a store of its own, with one password for all accounts. */
export async function openTeaHouse(store: SessionStore = new MemoryStore(), statementPace?: Pace) {
  const { app, sessions } = createApp({
    users: await USERS,
    sessions: { store, clearSchedule: false },
    ...(statementPace === undefined ? undefined : { statementPace }),
  });
  return { app, sessions, store, visitor: (): TestAgent => request.agent(app) };
}

export type TeaHouse = Awaited<ReturnType<typeof openTeaHouse>>;

/** The security keys in the pages that visitors have open. */
const keysSeen = new WeakMap<TestAgent, string>();

/** Posts a form as a browser would: with the security key of its page. */
export async function post(visitor: TestAgent, path: string, fields: Record<string, string> = {}): Promise<Response> {
  const key = keysSeen.get(visitor) ?? (await keyShown(visitor, path));
  const answer = await visitor
    .post(path)
    .type("form")
    .send(key === undefined ? fields : { securityKey: key, ...fields });
  // Signing in or out leads to new pages.
  if (path.startsWith("/sign-") && answer.status === 303) keysSeen.delete(visitor);
  return answer;
}

/** The security key in a page that this visitor opens; the shelf shows none to a stranger. */
async function keyShown(visitor: TestAgent, path: string): Promise<string | undefined> {
  const isOnTheShelf = path === "/language" || path.endsWith("/add");
  const page = await visitor.get(isOnTheShelf ? "/" : "/sign-in").redirects(1);
  const key = keyIn(page);
  if (key !== undefined) keysSeen.set(visitor, key);
  return key;
}

/** The security key in a page's forms; undefined where they have none. */
export function keyIn(page: Response): string | undefined {
  return /name="securityKey" value="([^"]+)"/.exec(page.text)?.[1];
}

export async function signIn(visitor: TestAgent, username: string, fields: Record<string, string> = {}) {
  const answer = await post(visitor, "/sign-in", { username, password: PASSWORD, ...fields });
  if (answer.status !== 303) throw new Error(`${username} could not sign in: ${answer.status}`);
  return answer;
}

/** The number beside "Cart" in the header. */
export function cartCount(page: Response): number {
  const count = /data-testid="cart-count">(\d+)</.exec(page.text)?.[1];
  if (count === undefined) throw new Error("This page shows no cart.");
  return Number(count);
}

/** The `Set-Cookie` headers of an answer. */
export function cookiesOf(answer: Response): string[] {
  return (answer.headers["set-cookie"] as unknown as string[] | undefined) ?? [];
}
