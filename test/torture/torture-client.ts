import { Agent, request } from "node:http";

/** What came back; without a status if the connection broke, as it does when the server is killed. */
export interface Answer {
  readonly status: number | undefined;
  readonly body: Record<string, any>;
  /** The token of the cookie that was set. */
  readonly token: string | undefined;
}

/** A server that says nothing for this long hangs. */
const HUNG_MS = 30_000;

/** Sends the requests of all visitors, and keeps count. */
export class TortureClient {
  readonly statuses = new Map<number | "broken", number>();
  readonly #latencies: number[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: () => Promise<number>;
  readonly #onViolation: (violation: string) => void;

  /** `port` is that of any server that is up. */
  constructor(port: () => Promise<number>, onViolation: (violation: string) => void) {
    this.#port = port;
    this.#onViolation = onViolation;
  }

  async send(path: string, query: Record<string, string | number> = {}, token?: string): Promise<Answer> {
    const port = await this.#port();
    const search = new URLSearchParams(query as Record<string, string>);
    const start = performance.now();
    const answer = await this.#exchange(port, `${path}?${search.toString()}`, token);
    this.#latencies.push(performance.now() - start);
    const { status, body } = answer;
    this.statuses.set(status ?? "broken", (this.statuses.get(status ?? "broken") ?? 0) + 1);
    if (![undefined, 200, 404, 409, 410].includes(status)) {
      this.#onViolation(`${path} was answered ${status}: ${JSON.stringify(body)}`);
    }
    if (answer.token !== undefined && status !== 200) this.#onViolation(`${path} failed (${status}), and set a cookie`);
    return answer;
  }

  /** This share of all responses took no longer, in milliseconds: 0.5 for the median. */
  latency(part: number): number {
    const sorted = this.#latencies.sort((a, b) => a - b);
    return Math.round(sorted[Math.ceil(sorted.length * part) - 1] ?? 0);
  }

  close(): void {
    this.#agent.destroy();
  }

  #exchange(port: number, path: string, token: string | undefined): Promise<Answer> {
    return new Promise((resolve) => {
      const broken = () => resolve({ status: undefined, body: {}, token: undefined });
      const method = path.startsWith("/read") || path.startsWith("/list") ? "GET" : "POST";
      const headers = token === undefined ? {} : { cookie: `sid=${token}` };
      const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("error", broken);
        response.on("end", () => {
          const cookies = (response.headers["set-cookie"] ?? []).map((cookie) => /^sid=([^;]+)/.exec(cookie)?.[1]);
          const body = JSON.parse(text) as Answer["body"];
          resolve({ status: response.statusCode, body, token: cookies.find((each) => each !== undefined) });
        });
      });
      sent.on("error", broken);
      sent.setTimeout(HUNG_MS, () => {
        this.#onViolation(`${path} was not answered within ${HUNG_MS} ms`);
        sent.destroy();
      });
      sent.end();
    });
  }
}
