import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** Passes bytes on to a server and back; a test can cut the line, or let requests through and keep the responses. */
export class TcpRelay {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => {
    const server = connect(this.#port, this.#host);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy()).on("close", () => this.#sockets.delete(socket));
    }
    client.pipe(server);
    server.on("data", (bytes) => {
      if (!this.keepsAnswers) client.write(bytes);
    });
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  });
  readonly #host: string;
  readonly #port: number;
  #own = 0;
  /** While true, requests arrive and their responses do not. */
  keepsAnswers = false;

  /** `target` is `host:port`. */
  constructor(target: string) {
    const { hostname, port } = new URL(`http://${target}`);
    this.#host = hostname;
    this.#port = Number(port);
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

  /** Cuts every line and refuses new ones. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
