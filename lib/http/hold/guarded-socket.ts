import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { holdOf } from "./hold-state";
import type { HoldState } from "./hold-state";

const GUARDED = Symbol("coatcheck.guarded");

type ServedSocket = Socket & { _httpMessage?: ServerResponse | null; [GUARDED]?: true };
type Closer = (this: Socket, ...args: unknown[]) => Socket;

/** What a connection shows of itself after each of these methods was called on it. */
const SHOWN = {
  destroy: { destroyed: true, readable: false, writable: false },
  end: { writable: false, writableEnded: true },
} as const;

/** A connection that is to be closed after the held answer was sent, and by which method. */
export interface Closing {
  readonly socket: Socket;
  readonly by: keyof typeof SHOWN;
}

/**
 * From now on, this connection is not closed while a complete answer is held, but after that answer was sent: without
 * us, its bytes would be on their way by then. Connections are closed by Express's error handling, where a handler
 * throws after its answer, by a server that closes, and by Node, once the client has sent its last byte. Done once per
 * connection.
 */
export function guardSocket(socket: ServedSocket): void {
  if (socket[GUARDED] === true) return;
  guard(socket, "destroy");
  guard(socket, "end");
  Object.defineProperty(socket, GUARDED, { value: true });
}

function guard(socket: ServedSocket, by: Closing["by"]): void {
  // Not every connection that a response is given has all of Node's methods.
  const below: unknown = Reflect.get(socket, by);
  if (typeof below !== "function") return;
  const closer: Closer = function (...args) {
    const hold = completeAnswer(this);
    if (hold === undefined || isBroken(args[0])) return Reflect.apply(below, this, args) as Socket;
    const held = hold.heldAnswer();
    held.calls.push({ send: () => Reflect.apply(below, this, args) as Socket, args: [] });
    if (held.closing?.by !== "destroy") held.closing = { socket: this, by };
    showClosing(held.closing);
    return this;
  };
  Object.defineProperty(socket, by, { value: closer, writable: true, configurable: true });
}

/** The hold of the answer that this connection is sending, where that answer is complete. */
function completeAnswer({ _httpMessage: res }: ServedSocket): HoldState | undefined {
  const hold = res ? holdOf(res) : undefined;
  return hold?.isWaiting === true && hold.ended ? hold : undefined;
}

/** Whether the system says by this error that the connection is gone, so that nothing can be sent on it. */
function isBroken(error: unknown): boolean {
  return typeof error === "object" && error !== null && "syscall" in error;
}

export function showClosing({ socket, by }: Closing): void {
  for (const [name, value] of Object.entries(SHOWN[by])) {
    Object.defineProperty(socket, name, { value, writable: true, configurable: true });
  }
}

export function hideClosing({ socket }: Closing): void {
  for (const shown of Object.values(SHOWN)) for (const name of Object.keys(shown)) Reflect.deleteProperty(socket, name);
}
