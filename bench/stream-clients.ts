/**
 * Keeps event streams open, in a process of their own: `stream-clients.ts <bare|coatcheck> <port> <streams>`. With coatcheck each is the stream of
 * another visitor, who has signed in before. Its parent says when to go on.
 */
import { once } from "node:events";
import { createConnection } from "node:net";
import type { Socket } from "node:net";

const AT_A_TIME = 50;

void main();

async function main(): Promise<void> {
  const [kind, port = "", streams = ""] = process.argv.slice(2);
  process.once("disconnect", () => process.exit());
  const visitors = Array.from({ length: Number(streams) }, (_, n) => n);
  const cookies = new Map<number, string>();
  if (kind === "coatcheck") {
    await forEach(visitors, async (n) => {
      const { head, socket } = await ask(Number(port), `/login/user${n}`, "Connection: close");
      const cookie = /^set-cookie: ([^;]+)/im.exec(head)?.[1];
      if (cookie === undefined) throw new Error(`Nobody was signed in: ${head}`);
      cookies.set(n, cookie);
      socket.destroy();
    });
  }
  const goOn = once(process, "message");
  process.send?.("signed in");
  await goOn;
  await forEach(visitors, async (n) => {
    const { head } = await ask(Number(port), "/session/pages-events", `Cookie: ${cookies.get(n) ?? ""}`);
    if (!head.startsWith("HTTP/1.1 200")) throw new Error(`There is no stream: ${head}`);
  });
  process.send?.("open");
}

async function forEach(visitors: readonly number[], visit: (n: number) => Promise<void>): Promise<void> {
  const waiting = [...visitors];
  const work = async (): Promise<void> => {
    for (let n = waiting.pop(); n !== undefined; n = waiting.pop()) await visit(n);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

/** Sends a request on a connection that stays open, and resolves to the head of the answer. */
async function ask(port: number, path: string, header: string): Promise<{ head: string; socket: Socket }> {
  const socket = createConnection(port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${header}\r\n\r\n`);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const [data] = (await once(socket, "data")) as [Buffer];
    head += data.toString("latin1");
  }
  socket.on("error", () => undefined).resume();
  return { head, socket };
}
