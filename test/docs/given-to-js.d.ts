/**
 * What blocks of JavaScript are given beside `given.d.ts`: keys of the session, which nobody declares in JavaScript, and
 * the events of pages, which a browser dispatches.
 */
declare module "coatcheck" {
  interface SessionData {
    views?: any;
    cart?: any;
    language?: any;
    user?: any;
    userId?: any;
    returnTo?: any;
    messages?: any;
  }
}

declare global {
  interface DocumentEventMap {
    "coatcheck:ended": CustomEvent<{ reason: string; message?: string }>;
    "coatcheck:expiring": CustomEvent<{ seconds: number }>;
    "coatcheck:message": CustomEvent<{ event: string; data: any }>;
  }
}

export {};
