const HERE = "http://localhost";

/**
 * Where to go next, if `value` is a path of this site, otherwise the fallback: a link such as `?next=//evil.example` must not
 * lead a visitor who signs in to another site. (CWE-601)
 */
export function localPath(value: string, fallback = "/"): string {
  if (!value.startsWith("/") || !URL.canParse(value, HERE)) return fallback;
  const url = new URL(value, HERE);
  const path = url.pathname + url.search;
  // The path is looked at as a browser will read it: "/.//evil.example" is "//evil.example" by then.
  return url.origin === HERE && !path.startsWith("//") ? path : fallback;
}
