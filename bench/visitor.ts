import { connect } from "node:net";
import type { Socket } from "node:net";
import { once } from "node:events";

/**
 * A browser at its leanest: one keep-alive connection and its cookies. Requests go one after another; a response
 * other than 200 is an error, so that no failure is ever measured as a fast success.
 */
export class Visitor {
  readonly #socket: Socket;
  readonly #cookies = new Map<string, string>();
  #cookieLine = "";
  #received = "";
  #waiting: { resolve: (body: string) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("The server closed the connection.")));
  }

  static async arrive(port: number): Promise<Visitor> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Visitor(socket);
  }

  /** Resolves to the body of the response. */
  get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${this.#cookieLine}\r\n`);
    });
  }

  /** The bytes of the header that carries the cookies. */
  get cookieBytes(): number {
    return this.#cookieLine.length;
  }

  /** Takes over the cookies of another visitor, like the same browser on another connection. */
  borrowCookies(other: Visitor): void {
    for (const [name, value] of other.#cookies) this.#keepCookie(name, value);
  }

  /** The same cookies with one character changed in each. */
  forgeCookies(other: Visitor): void {
    for (const [name, value] of other.#cookies) {
      const at = Math.floor(value.length / 4);
      this.#keepCookie(name, value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1));
    }
  }

  leave(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (this.#received.length < headEnd + 4 + length) return;
    const body = this.#received.slice(headEnd + 4);
    this.#received = "";
    for (const [, name, value] of head.matchAll(/\r\nset-cookie: ([^=]+)=([^;\r]*)/gi)) this.#keepCookie(name!, value!);

    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (head.startsWith("HTTP/1.1 200 ")) waiting?.resolve(body);
    else waiting?.reject(new Error(`The server answered ${head.slice(9, head.indexOf("\r\n"))}: ${body}`));
  }

  #keepCookie(name: string, value: string): void {
    this.#cookies.set(name, value);
    this.#cookieLine = `Cookie: ${[...this.#cookies].map(([key, kept]) => `${key}=${kept}`).join("; ")}\r\n`;
  }
}
