import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Profiler } from "node:inspector";
import { SERVER_CORE, pinnedCommand } from "./cores";
import type { Question } from "./server";
import type { Variant } from "./variants";

/** A server in a process and on a core of its own. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(variant: Variant, folder: string): Promise<ServerProcess> {
    const script = join(__dirname, "server.ts");
    const [command, ...args] = pinnedCommand(
      SERVER_CORE,
      process.execPath,
      "--import",
      "tsx",
      script,
      variant.name,
      folder,
    );
    const child = spawn(command, args, {
      env: { ...process.env, NODE_ENV: "production" },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    return new ServerProcess(child, (await nextMessage(child, variant.name)) as number);
  }

  /** CPU time spent since the start, user and system, by all threads of the process; in microseconds. */
  async cpu(): Promise<number> {
    return (await this.#ask("cpu")) as number;
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
    const answer = nextMessage(this.#child, question);
    this.#child.send(question);
    return await answer;
  }
}

async function nextMessage(child: ChildProcess, waitingFor: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`The server ended with ${String(code)} before it answered "${waitingFor}".`));
    };
    child.once("exit", onExit);
    child.once("message", (answer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
  });
}
