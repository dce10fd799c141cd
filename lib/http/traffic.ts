import type { Socket } from "node:net";
import { BYTES_SENT, RECENT_BYTES } from "../record/session-record";
import type { SessionRecord } from "../record/session-record";

/** How many sessions' bytes are kept until they are written; beyond that, those of the oldest are forgotten. */
const MAX_SESSIONS = 10_000;

/** Bytes that a client has sent and that are not written yet. */
interface Unwritten {
  total: number;
  /** Those of its most recent request. */
  recent: number;
}

/** The bytes that a client has sent, as its request keeps them. */
export interface RequestBytes {
  /** With this request so far. */
  bytes: number;
  /** Those of them that came while there was no session yet. */
  bytesOfNobody: number;
  /** How many bytes this request has last written as a session's most recent ones, and whose. */
  writtenRecent: number;
  writtenId: string | undefined;
}

/**
 * Counts the bytes that clients send. They go into the store with the next write that happens anyway.
 *
 * What a connection received since its last response began belongs to the request that is being served: headers are
 * received before any middleware runs. So each connection keeps a mark of the bytes that are counted already. Bytes
 * that come after that count with the connection's next request, and are lost where there is none. Under TLS the bytes
 * are the decrypted ones. Of pipelined requests, the earlier one gets the bytes.
 */
export class Traffic {
  /**
   * Under this key, the bytes of a connection that are counted already. A `WeakMap` would cost more than the counting.
   */
  readonly #mark = Symbol("coatcheck.bytesRead");
  readonly #unwritten = new Map<string, Unwritten>();

  /**
   * Counts what has come from the client meanwhile: for the session of this id, or, where there is none, for the one
   * that the request will start.
   */
  count(request: RequestBytes, socket: Socket, id: string | undefined): void {
    const bytes = this.#since(socket);
    if (bytes === 0) return;
    request.bytes += bytes;
    if (id === undefined) request.bytesOfNobody += bytes;
    else this.#add(id, bytes, request.bytes);
  }

  /** What to add to a record's counters with a write that happens anyway. From now on it counts as written. */
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

  /** The bytes of a session that are not in the store yet. */
  unwritten(id: string): Readonly<Unwritten> | undefined {
    return this.#unwritten.get(id);
  }

  /** The bytes of the connection that are not counted yet. */
  #since(socket: Socket): number {
    const { bytesRead } = socket as { readonly bytesRead?: number };
    // What only stands in for a connection, as in some test tools, has no count.
    if (bytesRead === undefined) return 0;
    const marked = socket as unknown as Record<symbol, number | undefined>;
    const before = marked[this.#mark] ?? 0;
    if (bytesRead === before) return 0;
    marked[this.#mark] = bytesRead;
    return bytesRead - before;
  }

  /** Adds bytes to a session's; `recent` is the number of its most recent request so far. */
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
