import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/**
 * Passes bytes on to a server and back; a test can cut the line, freeze it, delay what is on it, or let requests through
 * and keep the responses.
 */
export class TcpRelay {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => {
    const server = connect(this.#target);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy()).on("close", () => this.#sockets.delete(socket));
    }
    const pass = (to: Socket) => (bytes: Buffer) => {
      if (this.delayMs === 0) to.write(bytes);
      else setTimeout(() => to.write(bytes), this.delayMs);
    };
    const answered = pass(client);
    client.on("data", pass(server));
    server.on("data", (bytes) => {
      if (!this.keepsAnswers) answered(bytes);
    });
    if (this.#isFrozen) for (const socket of [client, server]) socket.pause();
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  });
  #target: { readonly host: string; readonly port: number };
  #own = 0;
  /** While true, requests arrive and their responses do not. */
  keepsAnswers = false;
  /** How long bytes are on their way, in milliseconds. */
  delayMs = 0;
  #isFrozen = false;

  /** `target` is `host:port`. */
  constructor(target: string) {
    this.#target = addressOf(target);
  }

  get address(): string {
    return `127.0.0.1:${this.#own}`;
  }

  /** Listens; on the same port as before if it did already. */
  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#own, "127.0.0.1", resolve));
    this.#own = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** From now on new lines lead to this server. */
  leadTo(target: string): void {
    this.#target = addressOf(target);
  }

  /** Cuts every line; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * From now on nothing gets through, and the lines stay open. `present` is for the lines that there are; those that
   * are made from now on work.
   */
  freeze(which: "all" | "present" = "all"): void {
    this.#isFrozen = which === "all";
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets everything through again, also what has come meanwhile. */
  thaw(): void {
    this.#isFrozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Cuts every line and refuses new ones. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function addressOf(target: string) {
  const { hostname, port } = new URL(`http://${target}`);
  return { host: hostname, port: Number(port) };
}
