import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "./eventually";

export interface StreamEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: any;
}

export interface EventStream {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** What came so far, without the pings. */
  readonly events: StreamEvent[];
  /** How many pings came. */
  readonly pings: number;
  /** What an EventSource says as its `Last-Event-ID` when it comes back. */
  readonly lastId: string;
  /** Resolves once the server has ended it. */
  readonly ended: Promise<void>;
  /** Waits for so many events. */
  has(count: number): Promise<StreamEvent[]>;
  close(): void;
}

/** Opens an event stream as an EventSource does. */
export async function eventStream(url: string, headers: Record<string, string>): Promise<EventStream> {
  const request = get(url, { headers: { accept: "text/event-stream", ...headers }, agent: false });
  const res = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve).once("error", reject);
  });
  const events: StreamEvent[] = [];
  let text = "";
  let pings = 0;
  let lastId = headers["last-event-id"] ?? "";
  res.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const fields = new Map(
        text
          .slice(0, end)
          .split("\n")
          .map((line) => line.split(/: (.*)/s) as [string, string]),
      );
      text = text.slice(end + 2);
      lastId = fields.get("id") ?? lastId;
      const event = fields.get("event");
      if (event === "ping") pings += 1;
      if (event === undefined || event === "ping") continue;
      events.push({ id: fields.get("id"), event, data: JSON.parse(fields.get("data") ?? "null") });
    }
  });
  const ended = new Promise<void>((resolve) => res.once("close", resolve));
  res.on("error", () => undefined); // The server may cut it.
  return {
    status: res.statusCode ?? 0,
    headers: res.headers,
    events,
    get pings() {
      return pings;
    },
    get lastId() {
      return lastId;
    },
    ended,
    async has(count) {
      await eventually(() => events.length >= count);
      return events;
    },
    close: () => void request.destroy(),
  };
}

export interface EventSourceLike {
  /** What came so far, on whatever stream. */
  readonly events: StreamEvent[];
  /** How often it was connected. */
  readonly connections: number;
  /** Resolves once it is over for good: the server has answered 204. (HTML Standard §9.2) */
  readonly over: Promise<void>;
}

/** An EventSource that is asked to come back after so many milliseconds: each stream takes up where the last one ended. */
export function eventSource(url: string, headers: Record<string, string>, retryMs: number): EventSourceLike {
  const events: StreamEvent[] = [];
  let connections = 0;
  const listen = async () => {
    let since = "";
    for (;;) {
      const stream = await eventStream(url, { ...headers, ...(since === "" ? undefined : { "last-event-id": since }) });
      if (stream.status === 204) return;
      connections += 1;
      await stream.ended;
      events.push(...stream.events);
      since = stream.lastId;
      await sleep(retryMs);
    }
  };
  return {
    events,
    get connections() {
      return connections;
    },
    over: listen(),
  };
}
