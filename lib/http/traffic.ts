import type { Socket } from "node:net";
import { BYTES_SENT, RECENT_BYTES } from "../record/session-record";
import type { SessionRecord } from "../record/session-record";

/** How many sessions' bytes are kept at a time until they are written; of more, the oldest are forgotten. */
const MAX_SESSIONS = 10_000;

/** Bytes that a client has sent and that are not written yet. */
interface Unwritten {
  total: number;
  /** Those of its most recent request. */
  recent: number;
}

/** What one request keeps of the bytes that its client has sent. */
export interface RequestBytes {
  /** With this request so far. */
  bytes: number;
  /** Of those, the ones that came while there was no session yet. */
  bytesOfNobody: number;
  /** How many bytes this request has last written as a session's most recent ones, and whose. */
  writtenRecent: number;
  writtenId: string | undefined;
}

/**
 * Counts the bytes that clients send, until they are written with something else that is. What a connection has received between two answers
 * belongs to the request of the second; a header was received before any middleware ran, so a mark stays on each connection from answer to
 * answer. Under TLS the bytes are those inside of it; of requests that are sent before the answer to the one before (pipelining), the earlier
 * one is given the bytes. What comes after an answer began is counted with the next request of the connection, and lost where none follows.
 */
export class Traffic {
  /** On each connection, how many bytes had come when it was asked last. A `WeakMap` costs more than all else that is done here. */
  readonly #mark = Symbol("coatcheck.bytesRead");
  readonly #unwritten = new Map<string, Unwritten>();

  /**
   * What has come from the client since it was counted last belongs to the session of this id, or, where there is none,
   * to the one that the request will start.
   */
  count(request: RequestBytes, socket: Socket, id: string | undefined): void {
    const bytes = this.#since(socket);
    if (bytes === 0) return;
    request.bytes += bytes;
    if (id === undefined) request.bytesOfNobody += bytes;
    else this.#add(id, bytes, request.bytes);
  }

  /** What to add to a record's counters with a write that happens anyway; it is no longer unwritten then. */
  take(
    request: RequestBytes,
    { id, counters }: Pick<SessionRecord, "id" | "counters">,
  ): Readonly<Record<string, number>> | undefined {
    const bytes = (this.#unwritten.get(id)?.total ?? 0) + request.bytesOfNobody;
    this.#unwritten.delete(id);
    request.bytesOfNobody = 0;
    if (bytes === 0) return undefined;
    const known = request.writtenId === id ? request.writtenRecent : (counters[RECENT_BYTES] ?? 0);
    request.writtenId = id;
    request.writtenRecent = request.bytes;
    return { [BYTES_SENT]: bytes, [RECENT_BYTES]: request.bytes - known };
  }

  /** What a session's clients have sent and no write has told the store yet. */
  unwritten(id: string): Readonly<Unwritten> | undefined {
    return this.#unwritten.get(id);
  }

  /** The bytes that came since this was asked last of the connection. */
  #since(socket: Socket): number {
    const { bytesRead } = socket as { readonly bytesRead?: number };
    // What only stands in for a connection, as in some test tools, counts nothing.
    if (bytesRead === undefined) return 0;
    const marked = socket as unknown as Record<symbol, number | undefined>;
    const before = marked[this.#mark] ?? 0;
    if (bytesRead === before) return 0;
    marked[this.#mark] = bytesRead;
    return bytesRead - before;
  }

  /** Keeps bytes of a session; `recent` is how many its most recent request has by now. */
  #add(id: string, bytes: number, recent: number): void {
    const unwritten = this.#unwritten.get(id);
    if (unwritten !== undefined) {
      unwritten.total += bytes;
      unwritten.recent = recent;
      return;
    }
    if (this.#unwritten.size >= MAX_SESSIONS) {
      for (const oldest of this.#unwritten.keys()) {
        this.#unwritten.delete(oldest);
        break;
      }
    }
    this.#unwritten.set(id, { total: bytes, recent });
  }
}
