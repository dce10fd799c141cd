import type { Answer } from "./app";

/** The longest life that browsers give a cookie: 400 days, in seconds. (RFC 6265bis §5.5) */
export const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/** A parsed Set-Cookie header. */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** `true` for those without a value, such as `HttpOnly`. */
  readonly attributes: Readonly<Record<string, string | true>>;
}

/** The one cookie that the response sets; throws if there is not exactly one. */
export function setCookie(answer: Answer): SetCookie {
  const headers = answer.headers["set-cookie"] ?? [];
  if (headers.length !== 1)
    throw new Error(`The response sets ${headers.length} cookies: ${answer.status} ${answer.body}`);
  const [pair, ...attributes] = (headers[0] ?? "").split("; ").map((part): [string, string | true] => {
    const at = part.indexOf("=");
    return at < 0 ? [part, true] : [part.slice(0, at), part.slice(at + 1)];
  });
  return { name: pair![0], value: String(pair![1]), attributes: Object.fromEntries(attributes) };
}
