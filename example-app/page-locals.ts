import type { Request, RequestHandler } from "express";
import { FREE_SHIPPING_FROM, sumUp } from "./cart";
import { FORMATS } from "./formats";
import { isLanguage, LANGUAGES, translate } from "./languages";
import type { Language, MessageKey, MessageValues } from "./languages";
import type { Users } from "./users";

/** What the layout shows to an unknown visitor, on error pages without a session. */
export function strangerLocals(req: Request) {
  return localsIn(preferredLanguage(req), req.originalUrl);
}

/** What the layout shows to this visitor. It only reads the session, which creates nothing. */
export function visitorLocals(users: Users): RequestHandler {
  return (req, res, next) => {
    const { session } = req;
    Object.assign(res.locals, localsIn(languageOf(req), req.originalUrl), {
      isKnown: true,
      hasSession: !session.isNew,
      user: users.find(session.owner),
      cartCount: sumUp(session.cart).count,
      takeFlash: () => session.pop("flash"),
    });
    next();
  };
}

function localsIn(language: Language, path: string) {
  return {
    language,
    languages: LANGUAGES,
    path,
    freeShippingFrom: FREE_SHIPPING_FROM,
    ...FORMATS[language],
    t: (key: MessageKey, values?: MessageValues) => translate(language, key, values),
    isKnown: false,
    hasSession: false,
    user: undefined,
    cartCount: 0,
    takeFlash: () => undefined,
  };
}

/** The language that the visitor has chosen here, or prefers everywhere. */
export function languageOf(req: Request): Language {
  return req.session.language ?? preferredLanguage(req);
}

function preferredLanguage(req: Request): Language {
  const preferred = req.acceptsLanguages(Object.keys(LANGUAGES));
  return isLanguage(preferred) ? preferred : "en";
}
