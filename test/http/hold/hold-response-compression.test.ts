import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestHandler, Response } from "express";
import { bodyOf, EXPRESSES, GATES, play } from "./hold-response-app";
import type { Handler, Scenario } from "./hold-response-app";

/**
 * What is in use: 1.7.4 and 1.7.5 look at `_header` and call `_implicitHeader`; 1.8 looks at `headersSent`. Next.js,
 * which is too large to be installed for a test, carries a copy of 1.7.4; what its server and its API routes do with a
 * response is done here in their way.
 */
const VERSIONS = ["compression174", "compression17", "compression"].map((name): [string, () => RequestHandler] => [
  `${name} ${jest.requireActual<{ version: string }>(`${name}/package.json`).version}`,
  jest.requireActual<() => RequestHandler>(name),
]);

const folder = mkdtempSync(join(tmpdir(), "hold-response-"));
const file = join(folder, "page.html");
const page = "<p>compress me</p>".repeat(400);
writeFileSync(file, page);
afterAll(() => rmSync(folder, { recursive: true }));

const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n";

const handlers: Record<string, Handler> = {
  "res.sendFile": (_req, res) => res.sendFile(file, { lastModified: false }),
  "res.send": (_req, res) => void res.send(page),
  "res.redirect": (_req, res) => res.redirect("/next"),
  "write, write, end": (_req, res) => {
    res.type("html");
    res.write(page);
    res.write(page);
    res.end();
  },
  "writes of several turns": async (_req, res) => {
    res.type("html");
    for (const n of [1, 2, 3]) {
      res.write(`${n} ${page}`);
      await sleep(8);
    }
    res.end("last");
  },
  "writeHead, end": (_req, res) => void res.writeHead(201, "Made", { "Content-Type": "text/html" }).end(page),
  "server-sent events": async (_req, res) => {
    res.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
    res.flushHeaders();
    for (const n of [1, 2, 3]) {
      res.write(`data: ${n}\n\n`);
      (res as Response & { flush(): void }).flush();
      await sleep(8);
    }
    res.end();
  },
  "flushHeaders, then a write and an end": (_req, res) => {
    res.type("html");
    res.flushHeaders();
    res.write(page);
    res.end();
  },
  "flushHeaders, then an end": (_req, res) => {
    res.type("html");
    res.flushHeaders();
    res.end(page);
  },
  "flushHeaders, and writes much later": async (_req, res) => {
    res.type("html");
    res.flushHeaders();
    await sleep(40);
    res.write(page);
    res.end();
  },
  "what is too little to compress": (_req, res) => void res.type("html").end("little"),
  "what the client has already (304)": (_req, res) => void res.status(304).end(),
  "what a handler ends by itself, in the way of Next.js's API routes": (_req, res) => {
    // Next's own `res.redirect(url)`, on a custom server that has a session before it.
    res.writeHead(307, { Location: "/login" });
    res.write("/login");
    res.end();
  },
  "what a server sets once the headers are not sent": (_req, res) => {
    // As Next.js patches the response: what is set afterwards is ignored.
    const setHeader = res.setHeader.bind(res);
    res.setHeader = (name, value) => ("headersSent" in res && res.headersSent ? res : setHeader(name, value));
    res.setHeader("X-One", "1");
    res.type("html");
    res.write(page);
    res.setHeader("X-Two", "2");
    res.end();
  },
};

describe.each(EXPRESSES)("P1: a held response is compressed as a bare one is, on %s", (_name, express) => {
  describe.each(VERSIONS)("by %s", (_version, compression) => {
    describe.each(["before", "after"] as const)("mounted %s us", (where) => {
      describe.each(Object.entries(GATES).filter(([what]) => !what.includes("at once")))(
        "with %s",
        (_gateName, gate) => {
          test.each(Object.entries(handlers))("%s", async (_what, handler) => {
            const scenario: Scenario = { handler, request, read: bodyOf, [where]: () => [compression()] };
            const bare = await play(express, scenario);
            const held = await play(express, scenario, gate);
            expect(held.answer).toBe(bare.answer);
            // Whether a drain comes, and whether a compression below has the end by now, is a matter of time.
            const told = (log: string[]) => log.filter((line) => !/^(drain|returned)/.test(line));
            expect(told(held.log)).toEqual(told(bare.log));
          });
        },
      );
    });
  });
});
