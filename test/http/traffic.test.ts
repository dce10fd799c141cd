import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Traffic } from "../../lib/http/traffic";
import type { RequestBytes } from "../../lib/http/traffic";
import { BYTES_SENT, RECENT_BYTES } from "../../lib/record/session-record";
import type { SessionStore } from "../../lib/stores/store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { describeOnEveryStore } from "../support/every-store";
import { idOf } from "../support/session-life";
import { eventually } from "../support/eventually";

/** A client that counts what it sends, on one connection. */
class RawClient {
  sent = 0;
  cookie = "";
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async connect(url: string): Promise<RawClient> {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Sends a request, in one piece or with its body after a while, and resolves when the answer is there. */
  async send(method: string, path: string, body = "", slowly = false): Promise<void> {
    const cookie = this.cookie === "" ? "" : `Cookie: ${this.cookie}\r\n`;
    const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${cookie}${length}\r\n`;
    const answer = this.#answer();
    this.#write(slowly ? head : head + body);
    if (slowly) {
      for (const part of [body.slice(0, 10), body.slice(10)]) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        this.#write(part);
      }
    }
    const set = /^set-cookie: ([^;]+)/im.exec(await answer);
    if (set?.[1] !== undefined) this.cookie = set[1];
  }

  close(): void {
    this.#socket.destroy();
  }

  #write(text: string): void {
    this.sent += Buffer.byteLength(text);
    this.#socket.write(text);
  }

  async #answer(): Promise<string> {
    let text = "";
    for (;;) {
      const [chunk] = (await once(this.#socket, "data")) as [Buffer];
      text += chunk.toString("latin1");
      const [head = "", body] = text.split("\r\n\r\n", 2);
      if (body?.length === Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)) return text;
    }
  }
}

describeOnEveryStore("traffic", (every) => {
  let store: SessionStore;
  let now: number;
  let app: RunningApp;
  let clients: RawClient[];

  beforeEach(async () => {
    now = Date.now();
    clients = [];
    store = await every.open({ now: () => now });
    app = await start();
  });

  afterEach(async () => {
    for (const client of clients) client.close();
    await app.close();
  });

  const start = () =>
    startApp(
      (express) => {
        express.get("/login", async (req, res) => {
          await req.session.login("alice");
          res.send("in");
        });
        express.get("/read", (req, res) => res.send(req.session.owner));
        express.get("/untouched", (_req, res) => res.send("untouched"));
        express.get("/set", (req, res) => {
          req.session.set("n", Number(req.session.get("n", 0)) + 1);
          res.send("set");
        });
        express.post("/body", async (req, res) => {
          let length = 0;
          for await (const chunk of req) length += (chunk as Buffer).length;
          req.session.set("length", length);
          res.send("taken");
        });
      },
      { store, now: () => now },
    );

  const client = async (url = app.url) => {
    clients.push(await RawClient.connect(url));
    return clients.at(-1)!;
  };
  const info = (of: RawClient, from = app) => from.sessions.getSession(idOf(of.cookie));

  it("is what a client has sent in a session, over one connection, with and without bodies", async () => {
    const alice = await client();
    await alice.send("GET", "/login");
    for (const path of ["/read", "/untouched", "/set", "/set"]) await alice.send("GET", path);
    await alice.send("POST", "/body", "x".repeat(3000));
    await alice.send("POST", "/body", "y".repeat(70_000), true);
    await expect(info(alice)).resolves.toMatchObject({ totalBytesSent: alice.sent });
    const before = alice.sent;
    await alice.send("GET", "/read");
    await expect(info(alice)).resolves.toMatchObject({
      ...{ totalBytesSent: alice.sent, recentBytesSent: alice.sent - before },
    });
  });

  it("leaves out what the connection carried before the session began", async () => {
    const alice = await client();
    await alice.send("GET", "/untouched");
    await alice.send("GET", "/read");
    const before = alice.sent;
    await alice.send("GET", "/login");
    await expect(info(alice)).resolves.toMatchObject({ totalBytesSent: alice.sent - before });
  });

  it("adds up what comes by several connections, to several instances", async () => {
    const other = await start();
    const [first, second] = [await client(), await client(other.url)];
    await first.send("GET", "/login");
    second.cookie = first.cookie;
    for (let n = 0; n < 3; n += 1) {
      await first.send("GET", "/set");
      await second.send("GET", "/set");
    }
    for (const from of [app, other]) {
      await expect(info(first, from)).resolves.toMatchObject({ totalBytesSent: first.sent + second.sent });
    }
    await other.close();
  });

  it("P4: waits in the process until something is written, and goes with the next touch", async () => {
    const alice = await client();
    await alice.send("GET", "/login");
    const id = idOf(alice.cookie);
    const stored = async () => (await store.load(id))?.counters[BYTES_SENT] ?? 0;
    const atLogin = alice.sent;
    for (let n = 0; n < 5; n += 1) await alice.send("GET", "/read");
    await expect(stored()).resolves.toBe(atLogin);
    now += 6 * 60_000;
    await alice.send("GET", "/read");
    await eventually(async () => (await stored()) !== atLogin);
    await expect(stored()).resolves.toBe(alice.sent);
  });

  it("is remembered of a session that has ended", async () => {
    const alice = await client();
    await alice.send("GET", "/login");
    await alice.send("GET", "/set");
    await app.sessions.kill(idOf(alice.cookie));
    await expect(info(alice)).resolves.toMatchObject({ totalBytesSent: alice.sent, recentBytesSent: 0 });
  });
});

describe("Traffic", () => {
  const newRequest = (): RequestBytes => ({ bytes: 0, bytesOfNobody: 0, writtenRecent: 0, writtenId: undefined });
  const received = (bytesRead: number) => ({ bytesRead }) as unknown as Socket;

  it("forgets the oldest where more sessions have sent something than it keeps", () => {
    const traffic = new Traffic();
    const last = newRequest();
    for (let n = 0; n < 10_000; n += 1) traffic.count(newRequest(), received(5), `id${n}`);
    traffic.count(last, received(5), "id10000");
    expect(traffic.unwritten("id0")).toBeUndefined();
    expect(traffic.unwritten("id1")).toEqual({ total: 5, recent: 5 });
    traffic.count(last, received(7), "id10000");
    const record = { id: "id10000", counters: {} };
    expect(traffic.take(last, record)).toEqual({ [BYTES_SENT]: 12, [RECENT_BYTES]: 12 });
    expect(traffic.take(last, record)).toBeUndefined();
  });

  it("counts nothing for what is no connection", () => {
    const request = newRequest();
    new Traffic().count(request, {} as unknown as Socket, undefined);
    expect(request).toEqual(newRequest());
  });
});
