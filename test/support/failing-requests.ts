import type { Answer, RunningApp } from "./app";
import type { Operation } from "./faulty-store";

/** A request that takes the operation, by a path of `savingRoutes`, and who sends it. */
export const FAILING_REQUESTS: readonly (readonly [Operation, string, "known" | "stranger"])[] = [
  ["load", "/read", "known"],
  ["create", "/set", "stranger"],
  ["create", "/login", "stranger"],
  ["update", "/set", "known"],
  ["mutate", "/update", "known"],
  ["replace", "/login", "known"],
  ["replace", "/logout", "known"],
  ["replace", "/regenerate", "known"],
  ["end", "/destroy", "known"],
  ["end", "/null", "known"],
  ["end", "/slow-null", "known"],
];

/** The response to a request that failed with this code. */
export function expectFailure(answer: Answer, code: string): void {
  expect(answer).toMatchObject({ status: 503, cookie: undefined });
  expect(JSON.parse(answer.body)).toMatchObject({ code });
  expect(answer.headers["set-cookie"]).toBeUndefined();
}

/** Expects that visitors with a session, by these headers, and without one are served as ever. */
export async function expectHealed(app: RunningApp, headers: Record<string, string>): Promise<void> {
  expect((await app.get("/read", headers)).status).toBe(200);
  const again = await app.get("/set?tea=oolong");
  expect(again.status).toBe(200);
  const { body } = await app.get("/read", { cookie: again.cookie ?? "" });
  expect(JSON.parse(body)).toEqual({ tea: "oolong", owner: "__guest__" });
}
