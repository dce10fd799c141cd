import type { IncomingMessage } from "node:http";
import { currentHolder } from "../../session/current-session";
import type { SessionHolder } from "../../session/current-session";

export function hasBody({ headers }: IncomingMessage): boolean {
  return (headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined;
}

/**
 * Makes the listeners of the request's own stream belong to its session. Node runs them for the connection, so what is called
 * by them (a parser of uploads, and every handler after it) would belong to none.
 */
export function keepCurrent(req: IncomingMessage, holder: SessionHolder): void {
  const emit = req.emit.bind(req);
  req.emit = (...args: Parameters<typeof emit>) => currentHolder.run(holder, emit, ...args);
}
