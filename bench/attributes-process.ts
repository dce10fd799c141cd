/**
 * Times requests that use one attribute or none, alternately and without a network.
 * `attributes-process.ts <rounds>` prints `AttributeSamples` as JSON.
 */
import { randomBytes } from "node:crypto";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { createRequire } from "node:module";
import type * as Coatcheck from "coatcheck";
import type * as CoatcheckTesting from "coatcheck/testing";
import { CONTENT } from "./session-data";

type Session = Coatcheck.Session;
type Touch = (session: Session) => unknown;

/** CPU time of the process per request, in microseconds: one for each round. */
export type AttributeSamples = Readonly<Record<string, readonly number[]>>;

/** Requests of one kind in one round. */
const REQUESTS = 4000;
const VALUE = { street: "12 Harbour Lane", city: "Rotterdam", postalCode: "3011 AA", country: "NL" };

const TOUCHES: Readonly<Record<string, Touch>> = {
  none: (session) => session.get("language"),
  "get plain": ({ attributes }) => attributes.get("plain"),
  "get encrypted": ({ attributes }) => attributes.get("encrypted"),
  "set plain": ({ attributes }) => attributes.set("plain", VALUE),
  "set encrypted": ({ attributes }) => attributes.set("encrypted", VALUE),
};

const load = createRequire(__filename);

void main();

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 1);
  const { Sessions } = load("../dist/index.js") as typeof Coatcheck;
  const { MemoryStore } = load("../dist/testing/index.js") as typeof CoatcheckTesting;
  const store = new MemoryStore();
  const sessions = new Sessions({ store, clearSchedule: false, secrets: [randomBytes(32).toString("hex")] });
  const handler = sessions.middleware();
  const cookie = await signIn(handler);
  const samples = new Map(Object.keys(TOUCHES).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, touch] of Object.entries(TOUCHES)) {
      const before = process.cpuUsage();
      for (let n = 0; n < REQUESTS; n += 1) await touch((await request(handler, cookie)).session);
      const { user, system } = process.cpuUsage(before);
      if (round > 0) samples.get(name)?.push((user + system) / REQUESTS);
    }
  }
  await sessions.close();
  console.log(JSON.stringify(Object.fromEntries(samples) satisfies AttributeSamples));
}

/** One request, as the middleware sees it. Nobody reads its response. */
async function request(handler: Coatcheck.SessionHandler, cookie = "") {
  const req = new IncomingMessage(new Socket()) as IncomingMessage & { session: Session };
  req.headers.cookie = cookie;
  const res = new ServerResponse(req);
  await new Promise<void>((resolve, reject) => {
    handler(req, res, (error) => (error === undefined ? resolve() : reject(new Error("no session", { cause: error }))));
  });
  return { session: req.session, res };
}

/** The cookie of a session of 200 B with two attributes. */
async function signIn(handler: Coatcheck.SessionHandler): Promise<string> {
  const { session, res } = await request(handler);
  session.merge(CONTENT["200 B"]);
  await session.attributes.createMany([
    { name: "plain", value: VALUE },
    { name: "encrypted", value: VALUE, encrypt: true },
  ]);
  res.end();
  await new Promise((resolve) => setTimeout(resolve, 100)); // By then the response has been sent.
  const [header = ""] = [res.getHeader("set-cookie")].flat();
  return String(header).split(";", 1).join();
}
