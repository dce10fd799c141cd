import { ServerResponse } from "node:http";

const UNAVAILABLE = "Service Unavailable\n";

/** Forgets what the handler set, the headers of these names too, so that an error page starts from nothing. */
export function clearAnswer(res: ServerResponse, headerNames: readonly string[]): void {
  if (!(res instanceof ServerResponse)) return;
  const { sendDate } = res;
  for (const name of headerNames) res.removeHeader(name);
  // Removing `Date` also turns off the one that Node adds.
  res.sendDate = sendDate;
  res.addTrailers({});
  res.statusCode = 200;
  res.statusMessage = "";
}

/** The answer where the app can't be asked for one. What still pipes into the response is unpiped by its `finish`. */
export function answerUnavailable(res: ServerResponse): void {
  if (!(res instanceof ServerResponse)) {
    // A websocket's: its handshake is over by now, and nothing can be answered any more.
    breakOff(res);
    return;
  }
  if (res.destroyed) return;
  res.statusCode = 503;
  res.setHeader("Connection", "close");
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  // Node adds none once a handler's own was removed.
  res.setHeader("Content-Length", UNAVAILABLE.length);
  res.end(UNAVAILABLE);
}

/** Breaks the response off: the client must not take what it has for the whole. */
export function breakOff(res: ServerResponse): void {
  if (res instanceof ServerResponse) res.destroy();
  else (res as ServerResponse).socket?.destroy();
}
