import { once } from "node:events";
import { describeOnEveryStore } from "../support/every-store";
import { MemoryStore } from "../../lib/stores/memory-store";
import { Sessions } from "../../lib/sessions";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { eventually } from "../support/eventually";
import { collectGarbage } from "../support/garbage";

let app: RunningApp;
let signals: AbortSignal[];
let bare: WeakRef<AbortSignal> | undefined;
beforeEach(() => {
  signals = [];
  bare = undefined;
});
afterEach(() => app.close());

async function start(options: object = {}): Promise<void> {
  app = await startApp(
    (express) => {
      express.get("/login/:user", async (req, res) => {
        await req.session.login(req.params.user);
        res.send("in");
      });
      express.get("/signal", (req, res) => {
        signals.push(req.session.signal);
        expect(req.session.signal).toBe(signals.at(-1));
        res.send("here");
      });
      express.get("/stream", (req, res) => {
        bare = new WeakRef(req.session.signal);
        req.session.signal.addEventListener("abort", () => res.end("over"));
        res.write("so far ");
      });
      express.get("/again", async (req, res) => {
        signals.push(req.session.signal);
        await req.session.login("bob");
        signals.push(req.session.signal);
        res.send("in");
      });
    },
    { killCheckInterval: 100, ...options },
  );
}

async function signIn(): Promise<string> {
  return (await app.get("/login/alice")).cookie!;
}

describeOnEveryStore("req.session.signal", (every) => {
  it("aborts when the session is ended, here at once and elsewhere soon", async () => {
    const store = await every.open();
    await start({ store });
    const elsewhere = new Sessions({ store, clearSchedule: false });
    for (const sessions of [app.sessions, elsewhere]) {
      await app.get("/signal", { cookie: await signIn() });
      const signal = signals.at(-1)!;
      expect(signal.aborted).toBe(false);
      const aborting = once(signal, "abort");
      expect(await sessions.killSessionByUser("alice")).toBe(1);
      await aborting;
      expect(signal.reason).toMatchObject({ code: "SESSION_ENDED" });
    }
  });
});

describe("req.session.signal", () => {
  it("aborts when the session is replaced by a login in the same request, and the new one has its own", async () => {
    await start();
    await app.get("/again", { cookie: await signIn() });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await app.sessions.killSessionByUser("bob");
    expect(signals[1]!.aborted).toBe(true);
  });

  it("aborts when the session expires", async () => {
    let now = Date.now();
    const clock = () => now;
    await start({ now: clock, store: new MemoryStore({ now: clock }) });
    await app.get("/signal", { cookie: await signIn() });
    now += 3_600_000;
    await eventually(() => signals[0]!.aborted);
  });

  it("of a session that is not stored never aborts", async () => {
    await start();
    await app.get("/signal");
    await app.sessions.killAllSessions();
    expect(signals[0]!.aborted).toBe(false);
  });

  it("ends an event stream whose handler keeps nothing but a listener, also after a garbage collection", async () => {
    await start();
    const answering = app.get("/stream", { cookie: await signIn() });
    await eventually(() => bare !== undefined);
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    await app.sessions.killSessionByUser("alice");
    expect((await answering).body).toBe("so far over");
  });
});
