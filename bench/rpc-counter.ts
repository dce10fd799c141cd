import http2 from "node:http2";

const counts: Record<string, number> = {};

/**
 * Counts the gRPC calls of this process by method, whatever client makes them: each is one HTTP/2 stream, and its path
 * ends with the method. Call it before a client is loaded. (gRPC over HTTP2, "Requests")
 */
export function countRpcs(): void {
  const connect = http2.connect.bind(http2) as (...args: unknown[]) => http2.ClientHttp2Session;
  http2.connect = (...args: unknown[]) => {
    const session = connect(...args);
    const request = session.request.bind(session);
    session.request = (headers, options) => {
      const path = headers?.[":path"];
      const method = String(path).split("/").at(-1) ?? "";
      counts[method] = (counts[method] ?? 0) + 1;
      return request(headers, options);
    };
    return session;
  };
}

/** The calls since the process began, by method. */
export function rpcCounts(): Record<string, number> {
  return counts;
}
