import type { Request } from "express";
import type { SessionOptions } from "../../lib/options/session-options";
import { startApp } from "./app";

/** Runs `body` inside a handler of a real app; resolves to what it returns, or rejects with what it throws. */
export async function inRequest<T>(body: (req: Request) => T | Promise<T>, options: SessionOptions = {}): Promise<T> {
  const outcomes: ({ value: T } | { error: unknown })[] = [];
  const app = await startApp((express) => {
    express.get("/", async (req, res) => {
      try {
        outcomes.push({ value: await body(req) });
      } catch (error) {
        outcomes.push({ error });
      }
      res.end();
    });
  }, options);
  try {
    await app.get("/");
  } finally {
    await app.close();
  }
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error("the handler was not reached");
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}
