import { sessionConsole } from "coatcheck";
import type { Sessions } from "coatcheck";
import { Router } from "express";
import type { AuditLog } from "../audit-log";
import { PageError } from "../error-page";
import { formField } from "../form-field";
import { requireAdmin, requireUser } from "../require-user";
import type { Users } from "../users";

const MOST_CHARACTERS = 500;

/** The admin's page: how many sessions each user has, and the buttons that end them. The console has the details. */
export function adminRoutes(users: Users, sessions: Sessions, audit: AuditLog): Router {
  const router = Router();
  router.use("/admin", requireUser(users), requireAdmin(users));

  router.use("/admin/sessions", sessionConsole({ sessions, title: "Tea House sessions", auditTrail: audit.about }));

  router.get("/admin", async (_req, res) => {
    const infos = await sessions.getSessionInfo();
    const rows = users.all().map((user) => {
      const own = infos.filter((info) => info.username === user.username);
      return { user, count: own.length, lastSeenAt: latest(own.map((info) => info.lastSeenAt)) };
    });
    const signedIn = rows.reduce((sum, row) => sum + row.count, 0);
    res.render("admin", { rows, guests: infos.length - signedIn, mostCharacters: MOST_CHARACTERS });
  });

  router.post("/admin/users/:username/end-sessions", async (req, res) => {
    const user = users.find(req.params.username);
    if (!user) throw new PageError(404, "notFound");
    // Browsers count a line break as one character, but send two.
    const message = formField(req, "message").replaceAll("\r\n", "\n").trim();
    if (message.length > MOST_CHARACTERS) throw new PageError(400, "error");
    // Admins who end their own sessions keep the one that they use now.
    const isSelf = user.username === req.session.owner;
    const count = isSelf
      ? await sessions.killOthers(req.session, { message })
      : await sessions.killSessionByUser(user.username, { message });
    req.session.flash = { message: "sessionsEnded", values: { name: user.name, count } };
    res.redirect(303, "/admin");
  });

  return router;
}

function latest(dates: readonly Date[]): Date | undefined {
  return dates.reduce<Date | undefined>((last, date) => (last && last > date ? last : date), undefined);
}
