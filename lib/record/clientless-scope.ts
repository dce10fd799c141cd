/** The scope of sessions that code has opened: they have no cookie, and no cookie opens them. */
export const CLIENTLESS_SCOPE = "clientless";
