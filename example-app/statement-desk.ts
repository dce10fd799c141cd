import { SessionError } from "coatcheck";
import type { ClientlessSession, Sessions, TaskContext } from "coatcheck";
import { setTimeout as sleep } from "node:timers/promises";
import type { Orders, OrderSum } from "./orders";

/** A user's orders of a month; amounts in euro cents. */
export interface Statement {
  readonly month: Date;
  readonly orders: readonly OrderSum[];
  readonly count: number;
  readonly total: number;
}

/** How far along a statement is. */
export type StatementState =
  | { readonly is: "none" }
  | { readonly is: "underWay"; readonly progress: number }
  | { readonly is: "ready"; readonly statement: Statement }
  | { readonly is: "stopped" };

/** Waits between two steps of the work. */
export type Pace = (signal: AbortSignal) => Promise<unknown>;

const TASK = "monthly statement";
const STEPS = 10;
const STEP_MS = 400;

const DEFAULT_PACE: Pace = (signal) => sleep(STEP_MS, undefined, { signal });

/**
 * Makes monthly statements while their users go on shopping: a task in a clientless session of the user. Ending the
 * user's sessions ends this one too, and stops the task.
 */
export class StatementDesk {
  readonly #sessions: Sessions;
  readonly #orders: Orders;
  readonly #pace: Pace;
  readonly #states = new Map<string, () => StatementState>();

  constructor(sessions: Sessions, orders: Orders, pace = DEFAULT_PACE) {
    this.#sessions = sessions;
    this.#orders = orders;
    this.#pace = pace;
    sessions.defineTask<{ month: Date }>(TASK, (context) => this.#make(context));
  }

  /** The state of this user's statement. */
  stateOf(username: string): StatementState {
    return this.#states.get(username)?.() ?? { is: "none" };
  }

  /** Starts a user's statement of this month, unless one is under way. */
  begin(username: string, month = new Date()): void {
    if (this.stateOf(username).is === "underWay") return;
    let opened: ClientlessSession | undefined;
    this.#states.set(username, () => ({ is: "underWay", progress: Number(opened?.get("progress") ?? 0) }));
    this.#sessions
      .withClientlessSession(username, async (session) => {
        opened = session;
        session.start(TASK, { month });
        return (await session.result(TASK)) as Statement;
      })
      .then(
        (statement) => this.#states.set(username, () => ({ is: "ready", statement })),
        (error: unknown) => {
          this.#states.set(username, () => ({ is: "stopped" }));
          if (!(error instanceof SessionError && error.code === "SESSION_ENDED")) console.error(error);
        },
      );
  }

  async #make({ session, params, signal }: TaskContext<{ month: Date }>): Promise<Statement> {
    for (let step = 1; step <= STEPS; step += 1) {
      // Where the session was ended, the work stops with that error.
      await this.#pace(signal).finally(() => signal.throwIfAborted());
      session.set("progress", step / STEPS);
      await session.save();
    }
    const orders = this.#orders.inMonthOf(params.month, session.owner);
    return {
      month: params.month,
      orders,
      count: orders.reduce((sum, order) => sum + order.count, 0),
      total: orders.reduce((sum, order) => sum + order.total, 0),
    };
  }
}
