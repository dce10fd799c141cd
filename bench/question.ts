/** What the benchmark asks a server by IPC. */
export type Question = "cpu" | "rpcs" | "clear" | "watchLoop" | "unwatchLoop" | "startProfile" | "stopProfile";

export interface Asked {
  readonly number: number;
  readonly question: Question;
}

export interface Answered {
  readonly number: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** The number of the first answer, which comes without a question: the port, once the server listens. */
export const LISTENING = 0;
