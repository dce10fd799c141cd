import { connect, createServer } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { closedGate } from "./gate";
import type { Gate } from "./gate";

/** How the other side responded to one call. */
interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Undefined if the headers said it all. */
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** Passes gRPC calls on to a server; a test can count them, delay them, and lose their responses. */
export class GrpcProxy {
  /** How many calls came, by name. */
  readonly calls: Record<string, number> = {};
  /** Awaited before a call is passed on. `bytes` is the size of the request. */
  before: ((call: string, bytes: number) => Promise<unknown> | undefined) | undefined;
  /** Awaited before the response to a call is handed back; `"cut"` cuts the line instead. */
  after: ((call: string) => Promise<unknown> | "cut" | undefined) | undefined;
  readonly #target: ClientHttp2Session;
  readonly #lines = new Set<ServerHttp2Session>();
  readonly #server = createServer();

  /** `target` is `host:port`. */
  constructor(target: string) {
    this.#target = connect(`http://${target}`);
    this.#server.on("session", (line) => {
      this.#lines.add(line);
      line.on("close", () => this.#lines.delete(line));
    });
    this.#server.on("stream", (call, headers) => void this.#pass(call, headers));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Delays the next call until the gate is open: before it reaches the server, or its response on the way back. */
  holdNext(moment: "before" | "after"): Gate {
    const gate = closedGate();
    this[moment] = () => {
      this[moment] = undefined;
      return gate.pass();
    };
    return gate;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#cut();
    this.#target.destroy();
    await closed;
  }

  async #pass(call: ServerHttp2Stream, { ":method": method, ":path": path = "", ...headers }: IncomingHttpHeaders) {
    const name = path.split("/").at(-1) ?? "";
    this.calls[name] = (this.calls[name] ?? 0) + 1;
    // A caller that gave up is not interested.
    call.on("error", () => call.destroy());
    const body = await read(call);
    await this.before?.(name, body.length);
    const answer = await this.#ask({ ...headers, ":method": method, ":path": path }, body);
    if ((await this.after?.(name)) === "cut") this.#cut();
    if (call.destroyed) return;
    if (answer.trailers === undefined) {
      call.respond(passedOn(answer.headers), { endStream: true });
      return;
    }
    const trailers = passedOn(answer.trailers);
    call.on("wantTrailers", () => call.sendTrailers(trailers));
    call.respond(passedOn(answer.headers), { waitForTrailers: true });
    call.end(answer.body);
  }

  async #ask(headers: IncomingHttpHeaders, body: Buffer): Promise<Answer> {
    const call = this.#target.request({ ...headers, ":authority": undefined });
    call.end(body);
    let trailers: IncomingHttpHeaders | undefined;
    call.on("trailers", (given) => (trailers = given));
    const answered = new Promise<IncomingHttpHeaders>((resolve, reject) =>
      call.on("response", resolve).on("error", reject),
    );
    return { headers: await answered, body: await read(call), trailers };
  }

  #cut(): void {
    for (const line of this.#lines) line.destroy();
  }
}

async function read(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Without the headers that concern one connection only. */
function passedOn(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "connection"));
}
