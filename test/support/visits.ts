import type { Express } from "express";
import { startApp } from "./app";
import type { AppOptions, RunningApp } from "./app";
import { idOf } from "./session-life";
import type { Session } from "../../lib/session/session";

/** What a test does in a request. */
type Body<T> = (session: Session) => T | Promise<T>;

/** An app in which every request runs what a test passes in. */
export interface Visits {
  readonly app: RunningApp;
  visitor(): Visitor;
  close(): Promise<void>;
}

/** A browser: its requests share one session, even at the same time. */
export interface Visitor {
  cookie: string;
  /** The id of its session. */
  readonly id: string;
  /**
   * Runs this in a request. Resolves to what it returns, and rejects with what it throws, or with what the response
   * failed with.
   */
  run<T>(body: Body<T>): Promise<T>;
}

export async function startVisits(options: AppOptions): Promise<Visits> {
  const bodies: Body<unknown>[] = [];
  const outcomes: PromiseSettledResult<unknown>[] = [];
  const routes = (express: Express) => {
    express.get("/:n", async (req, res) => {
      const n = Number(req.params.n);
      [outcomes[n]] = await Promise.allSettled([(async () => bodies[n]?.(req.session))()]);
      res.end();
    });
  };
  const app = await startApp(routes, options);
  const visitor = (): Visitor => ({
    cookie: "",
    get id() {
      // A signed token ends at the dot.
      return idOf(this.cookie.split(".")[0]);
    },
    async run<T>(body: Body<T>): Promise<T> {
      const n = bodies.push(body) - 1;
      const { status, body: text, cookie } = await app.get(`/${n}`, this.cookie === "" ? {} : { cookie: this.cookie });
      this.cookie = cookie ?? this.cookie;
      const outcome = outcomes[n];
      if (outcome?.status === "rejected") throw outcome.reason;
      if (outcome === undefined || status !== 200) throw new Error(`answered ${status}: ${text}`);
      return outcome.value as T;
    },
  });
  return { app, visitor, close: () => app.close() };
}
