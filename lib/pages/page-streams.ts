import type { ServerResponse } from "node:http";
import type { SessionRecord } from "../record/session-record";
import { isEnded } from "../record/session-record";
import { BEFORE_MESSAGES, messagesIn } from "./page-messages";
import type { PageMessage } from "./page-messages";
import { englishTexts } from "./page-texts";
import type { NoticeAbout, NoticeTexts } from "./page-texts";
import type { PagesHost, SessionEnd } from "./pages-host";

/** Proxies cut a stream that is silent for a minute. */
const PING_MS = 20_000;
const PING = "event: ping\ndata: 0\n\n";
/** How long before the idle end the pages are told, in milliseconds. */
const WARNING_MS = 60_000;
/** The most streams of one session; of more, the oldest is closed. A browser needs one. */
const MAX_STREAMS = 20;
/** Of the messages that a stream has told, so many are remembered: a check that was slow may still find them. */
const MAX_TOLD = 100;
/** A client that does not read this many bytes is let go of. */
const MAX_UNREAD_BYTES = 256 * 1024;

/** Gives a notice its words. */
export type TextsOf = (about: NoticeAbout) => NoticeTexts;

interface Stream {
  readonly res: ServerResponse;
  readonly textsOf: TextsOf;
  /** The keys of the messages that it need not tell any more. */
  told: Set<string>;
}

/**
 * The event streams of the pages that this process serves, by session. All share one timer, which keeps no process
 * alive.
 */
export class PageStreams {
  readonly #host: PagesHost;
  readonly #bySession = new Map<string, SessionStreams>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(host: PagesHost) {
    this.#host = host;
  }

  /** How many streams are open. */
  get size(): number {
    let size = 0;
    for (const streams of this.#bySession.values()) size += streams.size;
    return size;
  }

  /**
   * Makes a response the stream of a session. `since` is the key of the last message that this browser has got, if it
   * comes back; otherwise it gets those from now on.
   */
  open(record: SessionRecord, res: ServerResponse, since: string | undefined, textsOf: TextsOf = englishTexts): void {
    // A client that left while its session was being loaded emits no `close` any more.
    if (res.closed || res.destroyed) return;
    if (this.#isClosed) {
      res.end();
      return;
    }
    let streams = this.#bySession.get(record.id);
    if (streams === undefined) {
      streams = new SessionStreams(this.#host, record, () => this.#forget(record.id));
      this.#bySession.set(record.id, streams);
    }
    this.#timer ??= setInterval(() => this.#ping(), PING_MS).unref();
    streams.add(res, textsOf, record, since);
  }

  /** Ends all streams, and those that are opened later. Browsers come back by themselves, to another instance. */
  close(): void {
    this.#isClosed = true;
    for (const streams of [...this.#bySession.values()]) streams.close();
  }

  #forget(id: string): void {
    this.#bySession.delete(id);
    if (this.#bySession.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #ping(): void {
    for (const streams of this.#bySession.values()) streams.write(PING);
  }
}

/** The streams of one session. */
class SessionStreams {
  readonly #host: PagesHost;
  readonly #id: string;
  readonly #streams = new Set<Stream>();
  readonly #unwatch: () => void;
  readonly #onEmpty: () => void;
  /** The end that the pages were warned of. */
  #warnedOf: number | undefined;

  constructor(host: PagesHost, record: SessionRecord, onEmpty: () => void) {
    this.#host = host;
    this.#id = record.id;
    this.#onEmpty = onEmpty;
    this.#unwatch = host.watch.watch(record.id, {
      onEnded: (hasExpired) => void this.#ended(hasExpired),
      onChecked: (current) => this.#checked(current),
    });
  }

  get size(): number {
    return this.#streams.size;
  }

  add(res: ServerResponse, textsOf: TextsOf, record: SessionRecord, since: string | undefined): void {
    const [oldest] = this.#streams;
    if (this.#streams.size >= MAX_STREAMS && oldest !== undefined) this.#end(oldest);
    const messages = messagesIn(record.pages);
    const told = messages.map(({ key }) => key).filter((key) => since === undefined || key <= since);
    const stream = { res, textsOf, told: new Set(told) };
    this.#streams.add(stream);
    res.once("close", () => this.#remove(stream));
    // With this id, a stream that is cut before its first message can still say where it was when it comes back.
    if (since === undefined) write(stream, `id: ${messages.at(-1)?.key ?? BEFORE_MESSAGES}\n\n`);
    tellMessages(stream, messages);
  }

  write(text: string): void {
    for (const stream of this.#streams) write(stream, text);
  }

  close(): void {
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  #checked(record: SessionRecord): void {
    const messages = messagesIn(record.pages);
    if (messages.length > 0) for (const stream of this.#streams) tellMessages(stream, messages);
    this.#warn(record);
  }

  /** Warns once that the idle limit is near, and takes that back where the session was used meanwhile. */
  #warn({ expiresAt, endsAt, idleMs }: SessionRecord): void {
    const left = expiresAt - this.#host.now();
    const isNear = left <= Math.min(WARNING_MS, idleMs / 2) && expiresAt < endsAt;
    if (isNear && this.#warnedOf !== expiresAt) {
      this.#warnedOf = expiresAt;
      this.#tell({ event: "expiring", seconds: Math.max(0, Math.round(left / 1000)) });
    } else if (!isNear && this.#warnedOf !== undefined) {
      this.#warnedOf = undefined;
      this.write("event: renewed\ndata: 0\n\n");
    }
  }

  /** Never rejects. Where the store fails now, the pages are told all the same, without the reason. */
  async #ended(hasExpired: boolean): Promise<void> {
    const end = await endOf(this.#host, this.#id).catch(this.#host.onError);
    this.#tell({ event: "ended", ...(end ?? { reason: hasExpired ? "expired" : "closed", message: null }) });
    this.close();
  }

  #tell(about: NoticeAbout): void {
    for (const stream of this.#streams) {
      write(stream, `event: ${about.event}\ndata: ${JSON.stringify({ ...about, ...stream.textsOf(about) })}\n\n`);
    }
  }

  #end(stream: Stream): void {
    stream.res.end();
    this.#remove(stream);
  }

  #remove(stream: Stream): void {
    if (!this.#streams.delete(stream) || this.#streams.size > 0) return;
    this.#unwatch();
    this.#onEmpty();
  }
}

/** How a session ended; undefined where nothing is remembered of it. */
async function endOf({ find }: PagesHost, id: string): Promise<SessionEnd | undefined> {
  for await (const record of find({ state: "ended", id })) {
    if (isEnded(record)) return { reason: record.reason, message: record.message ?? null };
  }
  return undefined;
}

function write({ res }: Stream, text: string): void {
  res.write(text);
  if (res.writableLength > MAX_UNREAD_BYTES) res.destroy();
}

/** Writes the messages that the stream has not told yet. */
function tellMessages(stream: Stream, messages: readonly PageMessage[]): void {
  for (const message of messages) {
    if (stream.told.has(message.key)) continue;
    stream.told.add(message.key);
    write(stream, messageText(message));
  }
  if (stream.told.size > MAX_TOLD) stream.told = new Set(messages.map(({ key }) => key));
}

function messageText({ key, event, data }: PageMessage): string {
  return `id: ${key}\nevent: message\ndata: {"event":${JSON.stringify(event)},"data":${data}}\n\n`;
}
