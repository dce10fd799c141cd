import { get } from "node:http";
import type { IncomingMessage } from "node:http";
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
