import type { Socket } from "node:net";

/** How many sessions' bytes are kept at a time until they are written; of more, the oldest are forgotten. */
const MAX_SESSIONS = 10_000;

/** Bytes that a client has sent and that are not written yet. */
interface Unwritten {
  total: number;
  /** Those of its most recent request. */
  recent: number;
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

  /** The bytes that came since this was asked last of the connection. */
  since(socket: Socket): number {
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
  add(id: string, bytes: number, recent: number): void {
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

  unwritten(id: string): Readonly<Unwritten> | undefined {
    return this.#unwritten.get(id);
  }

  /** Forgets what was kept of a session, as it is being written, and answers how many bytes that were. */
  take(id: string): number {
    const total = this.#unwritten.get(id)?.total ?? 0;
    this.#unwritten.delete(id);
    return total;
  }
}
