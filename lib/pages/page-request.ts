import type { IncomingMessage } from "node:http";
import type { Session } from "../session/session";

/** What is read of a request of Express's. */
export interface PageRequest extends IncomingMessage {
  readonly body?: unknown;
  readonly session?: Session | null;
}

const MAX_BODY_BYTES = 4_096;
const MAX_PATH_LENGTH = 512;
const MAX_TITLE_LENGTH = 200;
const PAGE_ID = /^[\w-]{16,64}$/;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/** What a page says of itself. */
export interface PageNews {
  readonly id: string;
  /** The id of the session that the page belonged to when it last asked; undefined the first time. */
  readonly session: string | undefined;
  readonly path: string;
  readonly title: string;
}

/**
 * Whether a page of this very origin sent the request. Browsers say so in `Sec-Fetch-Site`, and older ones in `Origin`.
 * (Fetch Metadata; OWASP CSRF Prevention Cheat Sheet)
 */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const { origin } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === headers.host;
}

/**
 * What the page says of itself; undefined where it says nothing that can be right. Rejects where the client goes away
 * meanwhile.
 */
export async function pageNewsOf(req: PageRequest): Promise<PageNews | undefined> {
  const body = parsed(await bodyOf(req));
  if (typeof body !== "object" || body === null) return undefined;
  const { id, session, path, title } = body as Record<string, unknown>;
  if (typeof id !== "string" || !PAGE_ID.test(id)) return undefined;
  return {
    id,
    session: typeof session === "string" ? session : undefined,
    path: cut(path, MAX_PATH_LENGTH),
    title: cut(title, MAX_TITLE_LENGTH),
  };
}

/** As a parser before us left it, or else what comes in. */
async function bodyOf(req: PageRequest): Promise<unknown> {
  if (req.body !== undefined && (req.readableEnded || typeof req.body === "string")) return req.body;
  let text = "";
  for await (const chunk of req.setEncoding("utf8") as AsyncIterable<string>) {
    // To leave the loop early would destroy the connection.
    if (text.length <= MAX_BODY_BYTES) text += chunk;
  }
  return text.length > MAX_BODY_BYTES ? undefined : text;
}

function parsed(body: unknown): unknown {
  if (typeof body !== "string" && !Buffer.isBuffer(body)) return body;
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** On one line, and not longer than this. */
function cut(text: unknown, length: number): string {
  if (typeof text !== "string") return "";
  return text.slice(0, length).toWellFormed().replace(CONTROL, " ").trim();
}
