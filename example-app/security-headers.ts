/** The security headers of every page. (OWASP HTTP Headers Cheat Sheet) */
export const SECURITY_HEADERS = {
  // Scripts, styles and pictures only from here, and nothing inline: injected markup could do nothing.
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Not "no-referrer", with which browsers send `Origin: null` with our own forms.
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};
