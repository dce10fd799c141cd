import type { SessionStore } from "coatcheck";
import { MemoryStore } from "coatcheck/testing";
import request from "supertest";
import type { Response } from "supertest";
import type TestAgent from "supertest/lib/agent";
import { createApp } from "../../example-app/app";
import { demoAccounts, Users } from "../../example-app/users";

export const PASSWORD = "first flush";
const USERS = Users.of(demoAccounts(PASSWORD));

/** The shop on a store of its own, with one password for everybody. */
export async function openTeaHouse(store: SessionStore = new MemoryStore()) {
  const { app, sessions } = createApp({ users: await USERS, sessions: { store, clearSchedule: false } });
  return { app, sessions, store, visitor: (): TestAgent => request.agent(app) };
}

export type TeaHouse = Awaited<ReturnType<typeof openTeaHouse>>;

/** Posts a form as a browser would. */
export async function post(visitor: TestAgent, path: string, fields: Record<string, string> = {}): Promise<Response> {
  return visitor.post(path).type("form").send(fields);
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
