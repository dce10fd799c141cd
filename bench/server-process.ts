import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Profiler } from "node:inspector";
import { SERVER_CORE, pinnedCommand } from "./cores";
import type { LoopWatch } from "./loop-watch";
import type { Answered, Asked, Question } from "./question";
import { LISTENING } from "./question";
import type { Variant } from "./variants";
import type { Clearing } from "./watched-clear";

type Command = [string, ...string[]];

function onItsCore(...command: Command): Command {
  return pinnedCommand(SERVER_CORE, ...command);
}

/** A server in a process and on a core of its own. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  #questions = LISTENING;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** `commandOf` makes the command line; by default the process stays on its core, as for all that is compared. */
  static async start(variant: Variant, folder: string, commandOf = onItsCore): Promise<ServerProcess> {
    const script = join(__dirname, "server.ts");
    const [command, ...args] = commandOf(process.execPath, "--import", "tsx", script, variant.name, folder);
    const child = spawn(command, args, {
      env: { ...process.env, NODE_ENV: "production" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    return new ServerProcess(child, (await answerTo(child, LISTENING, variant.name)) as number);
  }

  /** CPU time since the start, user and system, of all threads of the process, in microseconds. */
  async cpu(): Promise<number> {
    return (await this.#ask("cpu")) as number;
  }

  /** Calls to Datastore since the start, by method. */
  async rpcs(): Promise<Record<string, number>> {
    return (await this.#ask("rpcs")) as Record<string, number>;
  }

  async clear(): Promise<Clearing> {
    return (await this.#ask("clear")) as Clearing;
  }

  async watchLoop(): Promise<void> {
    await this.#ask("watchLoop");
  }

  /** What it saw of its event loop since `watchLoop`. */
  async unwatchLoop(): Promise<LoopWatch> {
    return (await this.#ask("unwatchLoop")) as LoopWatch;
  }

  async startProfile(): Promise<void> {
    await this.#ask("startProfile");
  }

  async stopProfile(): Promise<Profiler.Profile> {
    return (await this.#ask("stopProfile")) as Profiler.Profile;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }

  async #ask(question: Question): Promise<unknown> {
    const number = (this.#questions += 1);
    const answer = answerTo(this.#child, number, question);
    this.#child.send({ number, question } satisfies Asked);
    return await answer;
  }
}

/** Resolves to the answer to one question; others may be answered before. */
async function answerTo(child: ChildProcess, number: number, waitingFor: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const done = (): void => {
      child.off("exit", onExit);
      child.off("message", onMessage);
    };
    const onExit = (code: number | null): void => {
      done();
      reject(new Error(`The server ended with ${String(code)} before it answered "${waitingFor}".`));
    };
    const onMessage = (message: unknown): void => {
      const answered = message as Answered;
      if (answered.number !== number) return;
      done();
      if (answered.error === undefined) resolve(answered.answer);
      else reject(new Error(`The server could not answer "${waitingFor}": ${answered.error}`));
    };
    child.on("exit", onExit);
    child.on("message", onMessage);
  });
}
