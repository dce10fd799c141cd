import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { MemoryStore } from "../../lib/stores/memory-store";
import { send } from "../support/app";
import { launchBrowser } from "../support/browser";
import { eventSource, eventStream } from "../support/event-stream";
import { eventually } from "../support/eventually";
import { howMany } from "../support/how-many";
import { describeBehindNginx, startNginx } from "../support/nginx";
import type { Nginx } from "../support/nginx";
import { startPagesApp } from "../support/pages-app";
import type { PagesApp } from "../support/pages-app";

const ID = "0123456789abcdef0123456789abcdef";
/** nginx cuts a stream that is silent for a minute; ours never is. */
const SILENCE_MS = 65_000;

describeBehindNginx("pages behind nginx", () => {
  let app: PagesApp;
  let nginx: Nginx;
  beforeEach(async () => (app = await startPagesApp({ store: new MemoryStore(), killCheckInterval: "1h" })));
  afterEach(async () => {
    await (nginx as Nginx | undefined)?.stop();
    await app.close();
  });

  async function visitor(): Promise<{ cookie: string; id: string; headers: Record<string, string> }> {
    const cookie = (await send("GET", `${nginx.url}/login/alice`)).cookie!;
    const opened = await say(cookie);
    return { cookie, id: (JSON.parse(opened.body) as { session: string }).session, headers: { cookie } };
  }

  /** A page says that it is open, as a browser on plain HTTP does. */
  const say = (cookie: string, session?: string) =>
    send(
      "POST",
      `${nginx.url}/session/pages-open`,
      { cookie, "content-type": "application/json", origin: nginx.url },
      JSON.stringify({ id: ID, session, path: "/", title: "" }),
    );

  it("events come at once, although it buffers what others write", async () => {
    nginx = await startNginx(app.port);
    const { id, headers } = await visitor();
    const stream = await eventStream(`${nginx.url}/session/pages-events`, headers);
    await app.sessions.pages.send(id, "order", { number: 7 });
    expect(await stream.has(1)).toMatchObject([{ data: { event: "order", data: { number: 7 } } }]);
    await app.sessions.kill(id, { message: "Bye." });
    expect((await stream.has(2))[1]).toMatchObject({ event: "ended", data: { message: "Bye." } });
    await stream.ended;

    const bare = createServer((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" }).write("event: message\ndata: 1\n\n");
    }).listen(0, "127.0.0.1");
    await once(bare, "listening");
    const buffered = await startNginx((bare.address() as AddressInfo).port);
    const request = get(buffered.url).on("error", () => undefined);
    const answered = once(request, "response").then(() => "answered");
    expect(await Promise.race([answered, sleep(500, "nothing yet")])).toBe("nothing yet");
    request.destroy();
    await answered.catch(() => undefined);
    await buffered.stop();
    bare.closeAllConnections();
    await once(bare.close(), "close");
  });

  it("a stream that is cut again and again is taken up where it ended: nothing is lost, nothing told twice, and the end is told", async () => {
    nginx = await startNginx(app.port, "proxy_read_timeout 1s;");
    const { cookie, id, headers } = await visitor();
    const source = eventSource(`${nginx.url}/session/pages-events`, headers, 150);
    await eventually(() => source.connections === 1);
    const sent: number[] = [];
    for (let n = 0; source.connections < 5; n += 1) {
      await app.sessions.pages.send(id, "n", n);
      sent.push(n);
      // Now within a stream, now while there is none; the pauses are longer than nginx waits, now and then.
      await sleep(n % 6 === 5 ? 1_400 : 130);
    }
    await app.sessions.kill(id, { message: "Bye." });
    await source.over;
    const messages = source.events.filter(({ event }) => event === "message");
    expect(messages.map(({ data }) => data.data)).toEqual(sent);
    expect(JSON.parse((await say(cookie, id)).body)).toMatchObject({ ended: { reason: "killed", message: "Bye." } });
    expect(app.errors).toEqual([]);
  });

  it("a browser whose streams are cut is told of messages and of the end", async () => {
    nginx = await startNginx(app.port, "proxy_read_timeout 1s;");
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ baseURL: nginx.url });
      await page.goto("/login/alice");
      await page.evaluate(
        `window.told = []; document.addEventListener("coatcheck:message", ({ detail }) => told.push(detail.data))`,
      );
      await eventually(() => app.sessions.pages.streams === 1);
      await eventually(() => app.sessions.pages.streams === 0);
      for (const n of [1, 2]) await app.sessions.pages.send({ user: "alice" }, "n", n);
      await eventually(() => app.sessions.pages.streams === 1);
      await app.sessions.pages.send({ user: "alice" }, "n", 3);
      await eventually(async () => (await page.evaluate<number>("told.length")) >= 3);
      expect(await page.evaluate("told")).toEqual([1, 2, 3]);
      await eventually(() => app.sessions.pages.streams === 0);
      await app.sessions.killSessionByUser("alice", { message: "Bye." });
      await page.getByRole("alertdialog").getByText("Bye.").waitFor();
    } finally {
      await browser.close();
    }
  }, 120_000);

  it("its default timeout cuts no stream", async () => {
    nginx = await startNginx(app.port);
    const { id, headers } = await visitor();
    const stream = await eventStream(`${nginx.url}/session/pages-events`, headers);
    await sleep(howMany(0, SILENCE_MS));
    await app.sessions.pages.send(id, "still", "here");
    expect(await stream.has(1)).toMatchObject([{ data: { event: "still" } }]);
    expect(stream.pings).toBeGreaterThanOrEqual(howMany(0, 3));
  });
});
