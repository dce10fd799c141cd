import { requireSecurityKey, sessionMiddleware, sessionPages } from "coatcheck";
import type { SessionOptions } from "coatcheck";
import express from "express";
import { join } from "node:path";
import { AuditLog } from "./audit-log";
import { errorPage, PageError } from "./error-page";
import { isGuestForm } from "./guest-forms";
import { Orders } from "./orders";
import { visitorLocals } from "./page-locals";
import { adminRoutes } from "./routes/admin";
import { cartRoutes } from "./routes/cart";
import { checkoutRoutes } from "./routes/checkout";
import { deviceRoutes } from "./routes/devices";
import { languageRoutes } from "./routes/language";
import { shopRoutes } from "./routes/shop";
import { signInRoutes } from "./routes/sign-in";
import { statementRoutes } from "./routes/statement";
import { sameOrigin } from "./same-origin";
import { SECURITY_HEADERS } from "./security-headers";
import "./session-data";
import { formsOfEndedSessions, noticeTexts } from "./session-over";
import { StatementDesk } from "./statement-desk";
import type { Pace } from "./statement-desk";
import type { Users } from "./users";
import { useViews } from "./views";

export interface TeaHouseOptions {
  readonly users: Users;
  /** The options of `sessionMiddleware`, the store among them. Default: the store that the environment names. */
  readonly sessions?: SessionOptions;
  /** Waits between the steps of making a statement. Default: a moment, so that there is something to see. */
  readonly statementPace?: Pace;
}

/** The shop, and its visitors' sessions; call `sessions.close()` when it shuts. */
export function createApp({ users, sessions: options, statementPace }: TeaHouseOptions) {
  // A visitor who signs in keeps the cart; a visitor who signs out leaves nothing but the language.
  const audit = new AuditLog();
  const session = sessionMiddleware({
    ...options,
    keepOnLogin: ["language", "cart"],
    isSuperUser: (user) => users.find(user)?.isAdmin === true,
    audit: audit.note,
  });
  const { sessions } = session;
  const orders = new Orders();
  const desk = new StatementDesk(sessions, orders, statementPace);

  const app = express();
  app.disable("x-powered-by");
  useViews(app);
  app.use((_req, res, next) => {
    res.set(SECURITY_HEADERS);
    next();
  });
  app.use(express.static(join(__dirname, "public")));
  app.use(sameOrigin, express.urlencoded({ extended: false, limit: "10kb" }));
  app.use(session);
  // Before the security keys: the script of the pages has none, and only says what the page does.
  app.use("/session", sessionPages({ sessions, texts: noticeTexts }));
  app.use(visitorLocals(users), requireSecurityKey({ skip: isGuestForm }));

  app.use(shopRoutes());
  app.use(cartRoutes(sessions));
  app.use(languageRoutes());
  app.use(signInRoutes(users, sessions));
  app.use(checkoutRoutes(users, orders));
  app.use(statementRoutes(users, desk));
  app.use(deviceRoutes(users, sessions));
  app.use(adminRoutes(users, sessions, audit));

  app.use((_req, _res, next) => next(new PageError(404, "notFound")));
  app.use(formsOfEndedSessions(sessions), errorPage);
  return { app, sessions };
}
