const HERE = "http://localhost";

/**
 * `value` if it is a path of this site, otherwise the fallback: a link such as `?next=//evil.example` must not lead a
 * visitor to another site after the sign-in. (CWE-601)
 */
export function localPath(value: string, fallback = "/"): string {
  if (!value.startsWith("/") || !URL.canParse(value, HERE)) return fallback;
  const url = new URL(value, HERE);
  const path = url.pathname + url.search;
  // The check is on the path as a browser reads it, where "/.//evil.example" has become "//evil.example".
  return url.origin === HERE && !path.startsWith("//") ? path : fallback;
}
