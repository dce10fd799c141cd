import type { Session } from "../../session/session";

/** The pages that list or show sessions; with their query, they are where one comes back to. */
const PAGE = /^\/(?:list|user|session\/[\w-]{43})?$/;
const DONE = "done";

/** The address inside the console to come back to: `given` where it is one of its pages, otherwise the overview. */
export function wayBack(given: string | null | undefined): string {
  const [path = "", ...rest] = (given ?? "").split("?");
  if (!PAGE.test(path)) return "/";
  // Written anew, so that it holds nothing but a path of the console's and fields.
  const fields = new URLSearchParams(rest.join("?"));
  fields.delete(DONE);
  const query = fields.toString();
  return query === "" ? path : `${path}?${query}`;
}

/**
 * The address to come back to with word of what was done. The word is a one-time key of the session, so that no link
 * from elsewhere can make the console say it.
 */
export async function wayBackDone(session: Session, given: string | undefined, ended: number): Promise<string> {
  const address = wayBack(given);
  const key = await session.securityKeys.create({ expiresIn: "5m", payload: { consoleEnded: ended } });
  return `${address}${address.includes("?") ? "&" : "?"}${DONE}=${key}`;
}

/** How many sessions were ended before the visitor came back; undefined where this is no coming back. */
export async function doneBefore(session: Session, query: URLSearchParams): Promise<number | undefined> {
  const key = query.get(DONE);
  if (key === null) return undefined;
  const payload = await session.securityKeys.validate(key);
  const isDone = typeof payload === "object" && payload !== null && "consoleEnded" in payload;
  return isDone && typeof payload.consoleEnded === "number" ? payload.consoleEnded : undefined;
}
