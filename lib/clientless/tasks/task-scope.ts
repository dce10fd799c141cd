import type { SessionHolder } from "../../session/current-session";
import type { ClientlessSession } from "../clientless-session";
import type { TaskRun } from "./task-run";

/** What code of a task belongs to: its session. Without a run, it is what `withClientlessSession` was given. */
export class TaskScope implements SessionHolder {
  readonly session: ClientlessSession;
  readonly run: TaskRun | undefined;
  declare actingFor?: string;

  constructor(session: ClientlessSession, run?: TaskRun) {
    this.session = session;
    this.run = run;
  }
}
