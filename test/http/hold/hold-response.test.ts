import { setTimeout as sleep } from "node:timers/promises";
import { EXPRESSES, GATES, OUR_COOKIE, play, wireText } from "./hold-response-app";
import type { Handler, Scenario, Seen } from "./hold-response-app";

/** Runs `call`, and keeps what it returns or throws. */
function attempt(seen: Seen, name: string, call: () => unknown): void {
  try {
    const value = call();
    seen(name, typeof value === "object" ? "the response" : value);
  } catch (error) {
    seen(`${name} throws`, error);
  }
}

const ends: Record<string, Handler> = {
  "end()": (_req, res, seen) => attempt(seen, "end", () => res.end()),
  "end(callback)": (_req, res, seen) => attempt(seen, "end", () => res.end(() => seen("ended"))),
  "end(string)": (_req, res, seen) => attempt(seen, "end", () => res.end("grüße")),
  "end(string, callback)": (_req, res, seen) => attempt(seen, "end", () => res.end("x", () => seen("ended"))),
  "end(string, encoding)": (_req, res, seen) => attempt(seen, "end", () => res.end("grüße", "latin1")),
  "end(string, encoding, callback)": (_req, res, seen) =>
    attempt(seen, "end", () => res.end("677275", "hex", () => seen("ended"))),
  "end(Buffer)": (_req, res, seen) => attempt(seen, "end", () => res.end(Buffer.from("buffer"))),
  "end(Uint8Array, callback)": (_req, res, seen) =>
    attempt(seen, "end", () => res.end(new Uint8Array([104, 105]), () => seen("ended"))),
  "end(null)": (_req, res, seen) => attempt(seen, "end", () => res.end(null)),
  "end('')": (_req, res, seen) => attempt(seen, "end", () => res.end("", () => seen("ended"))),
  "end(undefined, undefined, callback)": (_req, res, seen) =>
    attempt(seen, "end", () => res.end(undefined, undefined as never, () => seen("ended"))),
  "end with listeners of finish on both sides of its callback": (_req, res, seen) => {
    res.on("finish", () => seen("first"));
    res.end("x", () => seen("second"));
    res.on("finish", () => seen("third"));
  },
  "end twice": (_req, res, seen) => {
    attempt(seen, "end", () => res.end("x", () => seen("ended")));
    attempt(seen, "end again", () => res.end());
  },
  "end with a body after end": (_req, res, seen) => {
    attempt(seen, "end", () => res.end("x"));
    attempt(seen, "end again", () => res.end("y", (error?: Error) => seen("late callback", error)));
  },
  "write after end": (_req, res, seen) => {
    res.end("x");
    attempt(seen, "write", () => res.write("y", (error) => seen("late callback", error)));
  },
  "end of what is no chunk": (_req, res, seen) => {
    attempt(seen, "end(123)", () => res.end(123 as never));
    attempt(seen, "end({})", () => res.end({} as never));
    seen("sent", res.headersSent);
    res.end("then this");
  },
  "write of what is no chunk": (_req, res, seen) => {
    attempt(seen, "write(null)", () => res.write(null));
    attempt(seen, "write(undefined)", () => res.write(undefined));
    attempt(seen, "write(123)", () => res.write(123));
    seen("sent", res.headersSent);
    res.write("a");
    attempt(seen, "write(null)", () => res.write(null));
    attempt(seen, "end(123)", () => res.end(123 as never));
    res.end("b");
  },
  "end of a later turn": async (_req, res, seen) => {
    await sleep(2);
    attempt(seen, "end", () => res.end("late"));
  },
};

const writes: Record<string, Handler> = {
  "write in all its forms": (_req, res, seen) => {
    attempt(seen, "write", () => res.write("a"));
    attempt(seen, "write", () => res.write("grüße", "latin1"));
    attempt(seen, "write", () => res.write("b", () => seen("written")));
    attempt(seen, "write", () => res.write("Yw==", "base64", () => seen("written")));
    attempt(seen, "write", () => res.write(new Uint8Array([100])));
    attempt(seen, "write", () => res.write(Buffer.from("e")));
    attempt(seen, "write", () => res.write(""));
    attempt(seen, "end", () => res.end("f", () => seen("ended")));
  },
  "write with a Content-Length": (_req, res, seen) => {
    res.setHeader("Content-Length", 4);
    attempt(seen, "write", () => res.write("ab"));
    attempt(seen, "end", () => res.end("cd"));
  },
  "writes of several turns": async (_req, res) => {
    res.write("one ");
    await sleep(5);
    res.write("two ");
    await sleep(25);
    res.end("three");
  },
  "what is seen after the first write": (_req, res, seen) => {
    res.setHeader("X-Before", "1");
    res.write("x");
    seen("headersSent", res.headersSent);
    seen("writableEnded", res.writableEnded);
    attempt(seen, "setHeader", () => res.setHeader("X-After", "1"));
    attempt(seen, "appendHeader", () => res.appendHeader("X-After", "1"));
    attempt(seen, "removeHeader", () => res.removeHeader("X-Before"));
    attempt(seen, "setHeaders", () => res.setHeaders(new Map([["x", "y"]])));
    attempt(seen, "cookie", () => res.cookie("a", "b"));
    attempt(seen, "writeHead", () => res.writeHead(204));
    res.statusCode = 500;
    seen("statusCode", res.statusCode);
    res.end();
    seen("ended", [res.headersSent, res.writableEnded, res.writableNeedDrain, res.statusCode]);
  },
  "a big write, then more on drain": (_req, res, seen) => {
    attempt(seen, "write", () => res.write(Buffer.alloc(200_000, "a")));
    seen("needs drain", res.writableNeedDrain);
    res.once("drain", () => {
      seen("needs drain", res.writableNeedDrain);
      res.end("z");
    });
  },
  "cork and uncork": (_req, res) => {
    res.write("a");
    res.cork();
    res.write("b");
    res.write("c");
    res.uncork();
    res.end("d");
  },
  trailers: (_req, res) => {
    res.setHeader("Trailer", "X-Sum");
    res.write("body");
    res.addTrailers({ "X-Sum": "42" });
    res.end();
  },
  "flushHeaders, then writes": async (_req, res, seen) => {
    res.setHeader("Content-Type", "text/event-stream");
    attempt(seen, "flushHeaders", () => res.flushHeaders());
    seen("sent", res.headersSent);
    for (const n of [1, 2, 3]) {
      await sleep(8);
      attempt(seen, "write", () => res.write(`data: ${n}\n\n`));
    }
    res.end();
  },
};

const heads: Record<string, Handler> = {
  "writeHead(status)": (_req, res, seen) => {
    attempt(seen, "writeHead", () => res.writeHead(404));
    seen("status", [res.statusCode, res.statusMessage, res.headersSent]);
    res.end("x");
  },
  "writeHead(status, message)": (_req, res) => void res.writeHead(202, "Fine By Me").end("x"),
  "writeHead(status, headers)": (_req, res) =>
    void res.writeHead(201, { "X-One": "1", "x-TWO": 2, "X-Many": ["a", "b"] }).end("x"),
  "writeHead(status, message, headers)": (_req, res) =>
    void res.writeHead(201, "Made", { "Content-Type": "text/plain", "Content-Length": 1 }).end("x"),
  "writeHead with a flat array": (_req, res) => void res.writeHead(200, ["X-One", "1", "X-Two", ["2", "3"]]).end("x"),
  "writeHead with a flat array that repeats a name": (_req, res) =>
    void res.writeHead(200, ["X-One", "1", "X-One", "2", "Set-Cookie", "a=1", "Set-Cookie", "b=2"]).end("x"),
  "writeHead with an array of pairs": (_req, res) =>
    void res
      .writeHead(200, [
        ["X-One", "1"],
        ["X-Two", "2"],
        ["X-Two", "3"],
        ["X-Four", "4"],
      ] as never)
      .end("x"),
  "writeHead over headers that are set": (_req, res) => {
    res.set({ "X-One": "old", "Cache-Control": "public", Vary: "Accept" });
    res.cookie("a", "1");
    res.writeHead(200, { "x-one": "new", "Set-Cookie": ["b=2", "c=3"] });
    res.end("x");
  },
  "writeHead with an array over headers that are set": (_req, res) => {
    res.set({ "X-One": "old", "X-Two": "kept" });
    res.writeHead(200, ["x-one", "new", "x-one", "newer"]);
    res.end("x");
  },
  "writeHead and a later turn": async (_req, res, seen) => {
    res.writeHead(200, "Good", { "X-One": "1" });
    await sleep(3);
    res.statusCode = 500;
    attempt(seen, "setHeader", () => res.setHeader("X-Two", "2"));
    seen("status", res.statusCode);
    res.end("x", () => seen("ended", res.statusCode));
  },
  "writeHead twice": (_req, res, seen) => {
    res.writeHead(200);
    attempt(seen, "writeHead", () => res.writeHead(500, { "X-One": "1" }));
    res.end();
  },
  "writeHead with a status that is none": (_req, res, seen) => {
    for (const status of [0, 99, 1000, "abc", undefined]) {
      attempt(seen, "writeHead", () => res.writeHead(status as never));
    }
    seen("sent", res.headersSent);
    res.end("x");
  },
  "writeHead with headers that are none": (_req, res, seen) => {
    attempt(seen, "odd", () => res.writeHead(200, ["X-One"]));
    attempt(seen, "value", () => res.writeHead(200, { "X-One": "a\nb" }));
    attempt(seen, "undefined", () => res.writeHead(200, { "X-One": undefined as never }));
    attempt(seen, "name", () => res.writeHead(200, { "X One": "1" }));
    seen("sent", res.headersSent);
    res.end("x");
  },
  "writeHead with a message that is none": (_req, res, seen) => {
    attempt(seen, "writeHead", () => res.writeHead(200, "a\nb"));
    seen("sent", res.headersSent);
    res.statusMessage = "";
    res.end("x");
  },
  statusMessage: (_req, res) => {
    res.statusMessage = "As You Like";
    res.status(299).end("x");
  },
  "a status code that Node refuses": (_req, res, seen) => {
    res.statusCode = 42;
    attempt(seen, "write", () => res.write("x"));
    attempt(seen, "end", () => res.end("x"));
    seen("sent", [res.headersSent, res.writableEnded]);
    res.status(200).end("y");
  },
  "a status message that Node refuses": (_req, res, seen) => {
    res.statusMessage = "a\nb";
    attempt(seen, "end", () => res.end("x"));
    res.statusMessage = "";
    res.end("y");
  },
  "a trailer that Node refuses": (_req, res, seen) => {
    res.set({ Trailer: "X-Sum", "Content-Length": "1" });
    attempt(seen, "flushHeaders", () => res.flushHeaders());
    attempt(seen, "end", () => res.end("x"));
    res.removeHeader("Trailer");
    res.end("y");
  },
  "writeHeader, the old name": (_req, res, seen) => {
    const { writeHeader } = res as unknown as { writeHeader?: typeof res.writeHead };
    if (writeHeader !== undefined) attempt(seen, "writeHeader", () => writeHeader.call(res, 201, { "X-One": "1" }));
    res.end("x");
  },
  "an Expect header, with which Node sends the head at once": (_req, res) => {
    res.set("Expect", "100-continue").end("x");
  },
  "statusCode and statusMessage after end": (_req, res, seen) => {
    res.end("x", () => seen("ended", [res.statusCode, res.statusMessage]));
    res.statusCode = 500;
    res.statusMessage = "Late";
  },
};

const get = (line: string, ...headers: string[]) =>
  [line, "Host: x", "Connection: close", ...headers].join("\r\n") + "\r\n\r\n";

const requests: Record<string, Scenario> = {
  "res.json": { handler: (_req, res) => void res.json({ a: [1, 2, 3] }) },
  "res.send of a string": { handler: (_req, res) => void res.send("hello") },
  "res.send of a Buffer": { handler: (_req, res) => void res.send(Buffer.from("hello")) },
  "res.sendStatus": { handler: (_req, res) => res.sendStatus(418) },
  "res.redirect": { handler: (_req, res) => res.redirect("/next") },
  "res.cookie": { handler: (_req, res) => void res.cookie("a", "1").cookie("b", "2").send("x") },
  "204": { handler: (_req, res) => void res.status(204).send("never seen") },
  "204 with writes": {
    handler: (_req, res, seen) => {
      res.statusCode = 204;
      attempt(seen, "write", () => res.write("x", () => seen("written")));
      res.end("y");
    },
  },
  "304 by ETag": {
    request: get("GET / HTTP/1.1", 'If-None-Match: "abc"'),
    handler: (_req, res) => void res.set("ETag", '"abc"').send("body"),
  },
  HEAD: { request: get("HEAD / HTTP/1.1"), handler: (_req, res) => void res.send("body") },
  "HEAD with writes": {
    request: get("HEAD / HTTP/1.1"),
    handler: (_req, res, seen) => {
      attempt(seen, "write", () => res.write("x", () => seen("written")));
      res.end("y");
    },
  },
  "HTTP/1.0": { request: "GET / HTTP/1.0\r\n\r\n", handler: (_req, res) => void (res.write("a"), res.end("b")) },
  "HTTP/1.0 with keep-alive": {
    request: "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    handler: (_req, res) => void res.send("body"),
  },
  "two requests at once on one connection": {
    request: "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + get("GET /2 HTTP/1.1"),
    handler: (req, res) => void res.send(`this is ${req.url}`),
  },
  "the first of two requests at once is the slower": {
    request: "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n" + get("GET /2 HTTP/1.1"),
    handler: async (req, res) => {
      if (req.url === "/1") await sleep(60);
      res.write("this is ");
      res.end(req.url);
    },
    read: wireText,
  },
  "POST with a body that is piped back": {
    request: get("POST / HTTP/1.1", "Content-Length: 5") + "hello",
    handler: (req, res) => void req.pipe(res),
  },
  "100-continue": {
    request: get("POST / HTTP/1.1", "Content-Length: 5", "Expect: 100-continue") + "hello",
    handler: (req, res) => void req.pipe(res),
  },
  "informational answers": {
    handler: (_req, res) => {
      res.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" });
      res.writeProcessing();
      res.send("x");
    },
  },
  "a handler that throws": {
    handler: () => {
      throw new Error("broken");
    },
  },
  "a handler that calls next": { handler: (_req, _res, _seen, next) => next() },
  "a handler that fails late": {
    handler: (_req, _res, _seen, next) => void setTimeout(() => next(new Error("late")), 2),
  },
};

const all: Record<string, Scenario> = { ...requests };
for (const [name, handler] of Object.entries({ ...ends, ...writes, ...heads })) all[name] = { handler };
for (const [name, handler] of Object.entries(heads)) {
  all[`${name}, nothing being set before`] = { handler, app: (app) => app.disable("x-powered-by") };
}

describe.each(EXPRESSES)("P1: a held response is the same as a bare one, on %s", (_name, express) => {
  describe.each(Object.entries(GATES))("with %s", (gateName, gate) => {
    test.each(Object.entries(all))("%s", async (_scenario, scenario) => {
      const bare = await play(express, scenario);
      const held = await play(express, scenario, gate);
      expect(held.answer).toBe(bare.answer);
      expect(held.log).toEqual(bare.log);
      expect(held.raw.includes(OUR_COOKIE)).toBe(gateName !== "a gate with nothing to wait for");
    });
  });
});
