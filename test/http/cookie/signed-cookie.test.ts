import crypto, { createHmac, randomBytes } from "node:crypto";
import { MemoryStore } from "../../../lib/stores/memory-store";
import { startApp } from "../../support/app";
import type { RunningApp } from "../../support/app";
import { countingRoutes } from "../../support/counting-routes";
import { watchedStore } from "../../support/watched-store";
import type { StoreMethod } from "../../support/watched-store";

const [OLD, NEW] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];

const running: RunningApp[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(running.splice(0).map((app) => app.close()));
});

/** Several servers of one app: they share the store, and may have different secrets. */
function servers() {
  const calls: StoreMethod[] = [];
  const shared = new MemoryStore();
  const start = async (secrets?: string[]) => {
    const watched = watchedStore((method) => void calls.push(method), shared);
    const app = await startApp(countingRoutes, { store: watched.store, ...(secrets && { secrets }) });
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
    const [before, after] = [await start(), await start([NEW])];
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

  it("P5: costs no signature where it has not the form of a signed one", async () => {
    const app = await servers().start([NEW]);
    const { cookie = "" } = await app.get("/count");
    const [token = "", signature = ""] = cookie.slice("sid=".length).split(".");
    const otherLast = String.fromCharCode(signature.charCodeAt(42) + 1);
    const wrong = [
      ...["x", token, `${token}.`, `.${signature}`, `${token}.${signature}.`, `${token}.${signature}=`],
      ...[`${token}.${signature}AA`, `${token}.${signature}!`, `${token}.${signature.slice(0, 42)}`],
      // The same 32 bytes, written in another way.
      `${token}.${signature.slice(0, 42)}${otherLast}`,
      `${token}. ${signature}`,
      `${token}.${signature.slice(0, 20)} ${signature.slice(20)}`,
      `${token}.!${signature}`,
      `${token}.${signature.slice(0, 20)}+${signature.slice(21)}`,
      `${token.slice(0, 42)}B.${signature}`,
      `${token}x${signature}`,
    ];
    const signing = jest.spyOn(crypto, "createHmac");
    for (const value of wrong) expect([value, await viewsOf(app, `sid=${value}`)]).toEqual([value, 0]);
    const header = Array.from({ length: 2_600 }, () => "sid=x").join(";");
    expect(await viewsOf(app, header)).toBe(0);
    expect(signing).not.toHaveBeenCalled();
    expect(await viewsOf(app, cookie)).toBe(1);
    expect(signing).toHaveBeenCalled();
  });

  it("P5: costs four signatures per secret at most, however many forged ones a request carries", async () => {
    const { start, calls } = servers();
    const app = await start([NEW, OLD]);
    const token = () => randomBytes(32).toString("base64url");
    const forged = Array.from({ length: 160 }, () => `sid=${token()}.${token()}`).join("; ");
    const signing = jest.spyOn(crypto, "createHmac");
    expect(forged.length).toBeGreaterThan(14_000);
    expect(await viewsOf(app, forged)).toBe(0);
    expect(signing.mock.calls.length).toBe(8);
    expect(calls).toEqual([]);
  });
});
