import { createHmac, randomBytes } from "node:crypto";
import { MemoryStore } from "../../lib/stores/memory-store";
import { startApp } from "../support/app";
import type { RunningApp } from "../support/app";
import { countingRoutes } from "../support/counting-routes";
import { watchedStore } from "../support/watched-store";
import type { StoreMethod } from "../support/watched-store";

const [OLD, NEW] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];

const running: RunningApp[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

/** Several servers of one app: they share the store, and may have different secrets. */
function servers() {
  const calls: StoreMethod[] = [];
  const shared = new MemoryStore();
  const start = async (secrets: string[]) => {
    const watched = watchedStore((method) => void calls.push(method), shared);
    const app = await startApp(countingRoutes, { store: watched.store, secrets });
    running.push(app);
    return app;
  };
  return { start, calls };
}

async function viewsOf(app: RunningApp, cookie: string): Promise<number> {
  return JSON.parse((await app.get("/read", { cookie })).body).views;
}

describe("with secrets, the cookie", () => {
  it("carries a signature, and is read again", async () => {
    const app = await servers().start([NEW]);
    const { cookie } = await app.get("/count");
    expect(cookie).toMatch(/^sid=[\w-]{43}\.[\w-]{43}$/);
    expect((await app.get("/count", { cookie })).body).toBe('{"views":2}');
  });

  it("P5: costs no store call where it is forged, unsigned, or signed for another token", async () => {
    const { start, calls } = servers();
    const app = await start([NEW]);
    const [first, second] = [(await app.get("/count")).cookie!, (await app.get("/count")).cookie!];
    calls.length = 0;
    const [token = "", signature = ""] = first.slice("sid=".length).split(".");
    const [, otherSignature = ""] = second.split(".");
    const plainMac = createHmac("sha256", NEW).update(token).digest("base64url");
    const forged = [
      token,
      `${token}.`,
      `${token}.${otherSignature}`,
      `${token}.${randomBytes(32).toString("base64url")}`,
      `${token}.${plainMac}`,
      `${token}.${signature.slice(0, -2)}`,
      `${token}.${signature}AA`,
      `${token.slice(0, -2)}AA.${signature}`,
      `.${signature}`,
      `s:${token}.${signature}`,
    ];
    for (const value of forged) expect([value, await viewsOf(app, `sid=${value}`)]).toEqual([value, 0]);
    expect(calls).toEqual([]);
    expect(await viewsOf(app, first)).toBe(1);
  });

  it("is accepted under an older secret, and signed with the newest", async () => {
    const { start } = servers();
    const [before, during, after] = [await start([OLD]), await start([NEW, OLD]), await start([NEW])];
    const old = (await before.get("/count")).cookie!;
    expect(await viewsOf(during, old)).toBe(1);
    const fresh = (await during.get("/count")).cookie!;
    expect(await viewsOf(after, fresh)).toBe(1);
    expect(await viewsOf(before, fresh)).toBe(0);
  });

  it("opens nothing any more once its secret was taken out", async () => {
    const { start, calls } = servers();
    const [before, after] = [await start([OLD]), await start([NEW])];
    const old = (await before.get("/count")).cookie!;
    calls.length = 0;
    expect(await viewsOf(after, old)).toBe(0);
    expect(calls).toEqual([]);
  });

  it("that was given out before there were secrets opens nothing", async () => {
    const { start } = servers();
    const [before, after] = [await start([]), await start([NEW])];
    const unsigned = (await before.get("/count")).cookie!;
    expect(await viewsOf(before, unsigned)).toBe(1);
    expect(await viewsOf(after, unsigned)).toBe(0);
  });

  it("P6: is in no error, warning or record with its secret", async () => {
    const app = await servers().start([NEW]);
    const { body, headers } = await app.get("/count");
    const listed = JSON.stringify(await app.sessions.getSessionInfo());
    for (const text of [body, JSON.stringify(headers), listed]) expect(text).not.toContain(NEW);
  });
});
