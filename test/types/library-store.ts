/** What the types of libraries ask of a session store. `tsc --noEmit` checks this file, and nothing runs it. */
import type { ExpressSessionStore, Sessions } from "coatcheck";

/** As express-openid-connect declares it. */
interface OpenIdSession {
  header: { iat: number; uat: number; exp: number };
  data: { id_token: string };
  cookie: { expires: number; maxAge: number };
}
interface OpenIdStore {
  get(sid: string, callback: (err: any, session?: OpenIdSession | null) => void): void;
  set(sid: string, session: OpenIdSession, callback?: (err?: any) => void): void;
  destroy(sid: string, callback?: (err?: any) => void): void;
  [key: string]: any;
}

export const openIdStore = (sessions: Sessions): OpenIdStore => sessions.expressSessionStore({ library: "openid" });

export function read(store: ExpressSessionStore): void {
  store.get("id", (error, session: { "keycloak-token"?: string } | undefined) => {
    if (error === null && session !== undefined) store.set("id", session);
  });
  // @ts-expect-error -- nobody would be told
  store.get("id");
}
